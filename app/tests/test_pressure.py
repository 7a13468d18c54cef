"""The server by itself with tight limits: overload, slow readers, any split of the bytes."""

import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.endpoint import Endpoint
from serving.http.connection import Connection
from serving.http.limits import Limits
from serving.http.server import Route, Server
from tests.support import StubRegistry, free_port, linear_mlmodel, onnx_bytes, serving
from tests.test_protocol import GOOD, post, raw, read_answer

MIB = 1024 * 1024


def slow(seconds: float, answer: bytes = b"{}") -> Endpoint:
    def handle(_: bytes) -> bytes:
        time.sleep(seconds)
        return answer

    return Endpoint("POST", handle, counted=True)


def make_server(endpoint: Endpoint, **limits: float) -> Server:
    def ignore(_: int, __: float) -> None:
        pass

    def fail(error: Exception, _: str) -> None:
        raise error

    alive = Endpoint("GET", lambda _: b"alive")
    routes = {b"/predict": Route.of(endpoint, ignore), b"/healthz": Route.of(alive, ignore)}
    return Server(routes, Limits(**limits), ignore, fail)  # type: ignore[arg-type]


@contextmanager
def running(endpoint: Endpoint, **limits: float) -> Iterator[int]:
    """Serves in a thread; gives the port."""
    port, started, ends = free_port(), threading.Event(), []

    async def main() -> None:
        stop = asyncio.Event()
        ends.append((asyncio.get_running_loop(), stop))
        await make_server(endpoint, **limits).run(port, stop, started.set)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert started.wait(5)
    try:
        yield port
    finally:
        [(loop, stop)] = ends
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()


def client_of(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_to_end(client: socket.socket) -> int:
    total = 0
    try:
        while part := client.recv(MIB):
            total += len(part)
    except ConnectionResetError:
        pass
    return total


def test_a_burst_is_shed_at_once_and_probes_are_answered() -> None:
    with running(slow(0.02), queue=4) as port:
        clients = [client_of(port) for _ in range(40)]
        began = time.monotonic()
        for client in clients:
            client.sendall(post())
        with client_of(port) as probe:
            probe.sendall(raw(b"GET /healthz", b"Host: x"))
            assert read_answer(probe)[1] == b"alive"
            assert time.monotonic() - began < 1
        answers = [read_answer(client) for client in clients]
        assert time.monotonic() - began < 5
        for client in clients:
            client.close()
    shed = [headers for status, _, headers in answers if status == 503]
    assert {status for status, _, _ in answers} == {200, 503}
    assert len(shed) >= 20
    assert all("retry-after: 1" in headers for headers in shed)


def test_what_waited_too_long_is_not_computed() -> None:
    with running(slow(0.15), queue_seconds=0.1) as port:
        clients = [client_of(port) for _ in range(4)]
        for client in clients:
            client.sendall(post())
        statuses = [read_answer(client)[0] for client in clients]
        for client in clients:
            client.close()
    assert sorted(statuses)[0] == 200
    assert sorted(statuses)[-1] == 503


def test_one_connection_too_many() -> None:
    with running(slow(0), connections=2) as port:
        first, second, third = (client_of(port) for _ in range(3))
        status, _, headers = read_answer(third)
        assert (status, "retry-after: 1" in headers) == (503, True)
        assert third.recv(1) == b""
        first.close()
        third.close()
        second.sendall(post())
        assert read_answer(second)[0] == 200
        second.close()


def test_who_takes_no_answers_is_cut_off() -> None:
    with running(slow(0, b"x" * MIB), write_seconds=0.3) as port, client_of(port) as client:
        client.sendall(post() * 40)
        time.sleep(2)
        assert read_to_end(client) < 40 * MIB


def test_an_idle_connection_is_closed_in_the_end() -> None:
    with running(slow(0), idle_seconds=0.2) as port, client_of(port) as client:
        client.sendall(post())
        assert read_answer(client)[0] == 200
        assert read_to_end(client) == 0


def test_a_refusal_comes_after_the_answers_before_it() -> None:
    with running(slow(0.05)) as port, client_of(port) as client:
        client.sendall(post() * 2 + b"nonsense\r\n\r\n")
        received = b""
        while part := client.recv(65536):
            received += part
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:  # noqa: ANN401
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def answers_to(parts: list[bytes]) -> bytes:
    echo = Endpoint("POST", lambda body: body[::-1])  # answered at once: no event loop is needed
    connection, transport = Connection(make_server(echo)), Transport()
    connection.connection_made(transport)
    for part in parts:
        connection.data_received(part)
    return transport.written


STREAM = (
    post()
    + raw(b"GET /healthz", b"Host: x")
    + raw(
        b"POST /predict",
        b"Host: x",
        b"Transfer-Encoding: chunked",
        body=b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
    )
    + post(b"{}", b"Content-Encoding: br")
)


@settings(max_examples=300, deadline=None)
@given(st.sets(st.integers(1, len(STREAM) - 1)))
@example(set(range(1, len(STREAM))))
def test_any_split_gives_the_same_answers(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[a:b] for a, b in pairwise(places)]
    written, whole = (b"\r\n".join(without_date(answers_to(p))) for p in (parts, [STREAM]))
    assert written == whole
    assert whole.count(b"HTTP/1.1 200 ") == 3
    assert whole.count(b"HTTP/1.1 415 ") == 1


def without_date(answers: bytes) -> list[bytes]:
    return [line for line in answers.split(b"\r\n") if not line.startswith(b"date:")]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(st.binary(), st.sampled_from([STREAM, GOOD, b"\r\n", b"POST "]))))
def test_no_bytes_break_a_connection(parts: list[bytes]) -> None:
    assert b"HTTP/1.1 5" not in answers_to(parts)


def resident(process: int) -> int:
    """KiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_memory_is_flat_over_a_million_requests(registry: StubRegistry, tmp_path: Path) -> None:
    content = onnx_bytes()
    registry.register(content)
    registry.describe(linear_mlmodel(content))
    untraced = {key: "" for key in os.environ if key.startswith("COV")}
    variables = {"MLFLOW_TRACKING_URI": registry.url, "MODEL_VERSION": "3", **untraced}
    batch = post() * 199 + post(b"nonsense")  # fewer than may wait
    with serving(tmp_path, **variables) as service:
        service.wait_for("/readyz")
        with client_of(service.port) as client:
            client.sendall(batch)
            time.sleep(1)
            size = len(client.recv(MIB))

            def send(batches: int) -> None:
                for _ in range(batches):
                    client.sendall(batch)
                    left = size
                    while left > 0:
                        left -= len(client.recv(left))

            send(499)
            before = resident(service.process.pid)
            send(4500)
            assert resident(service.process.pid) - before < 2048
        loaded = Path(f"/proc/{service.process.pid}/maps").read_text()
        text = service.client.get("/metrics").text
    assert re.search(r'inference_requests_total{code="200",.*} 995000.0', text)
    assert re.search(r'inference_requests_total{code="400",.*} 5000.0', text)
    assert "httptools" in loaded
    assert "onnxruntime" not in loaded
    assert "numpy" not in loaded
