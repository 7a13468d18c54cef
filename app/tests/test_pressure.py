"""The server under load: bursts, slow readers, and a million requests."""

import os
import re
import time
from pathlib import Path

from serving.http.server import SWEEP
from tests.http_server import MIB, client_of, read_to_end, resident, running, slow
from tests.support import StubRegistry, linear_mlmodel, onnx_bytes, serving
from tests.test_protocol import post, raw, read_all, read_answer


def test_a_burst_is_refused_at_once_and_probes_are_served() -> None:
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


def test_a_request_that_waited_too_long_is_not_computed() -> None:
    with running(slow(0.15), queue_seconds=0.1) as port:
        clients = [client_of(port) for _ in range(4)]
        for client in clients:
            client.sendall(post())
        statuses = [read_answer(client)[0] for client in clients]
        for client in clients:
            client.close()
    assert sorted(statuses)[0] == 200
    assert sorted(statuses)[-1] == 503


def test_a_connection_above_the_limit_serves_probes() -> None:
    with running(slow(0), connections=2, probe_connections=1) as port:
        first, second, third, fourth = (client_of(port) for _ in range(4))
        status, _, headers = read_answer(fourth)
        assert (status, "retry-after: 1" in headers) == (503, True)
        assert fourth.recv(1) == b""
        fourth.close()
        third.sendall(post())
        status, _, headers = read_answer(third)
        assert (status, "retry-after: 1" in headers) == (503, True)
        assert third.recv(1) == b""
        third.close()
        with client_of(port) as probe:
            probe.sendall(raw(b"GET /healthz", b"Host: x"))
            assert read_answer(probe)[1] == b"alive"
        for client in (first, second):
            client.sendall(post())
            assert read_answer(client)[0] == 200
            time.sleep(2 * SWEEP)  # the precision of the server's clock
        with client_of(port) as client:  # closes `first`, which has been idle longest
            client.sendall(post())
            assert read_answer(client)[0] == 200
        assert first.recv(1) == b""
        second.sendall(post())
        assert read_answer(second)[0] == 200
        first.close()
        second.close()


def test_the_connection_of_a_client_that_does_not_read_is_closed() -> None:
    with running(slow(0, b"x" * MIB), write_seconds=0.3) as port, client_of(port) as client:
        client.sendall(post() * 40)
        time.sleep(2)
        assert read_to_end(client) < 40 * MIB


def test_an_idle_connection_is_closed() -> None:
    with running(slow(0), idle_seconds=0.2) as port, client_of(port) as client:
        client.sendall(post())
        assert read_answer(client)[0] == 200
        assert read_to_end(client) == 0


def test_an_error_comes_after_the_responses_to_earlier_requests() -> None:
    with running(slow(0.05)) as port, client_of(port) as client:
        client.sendall(post() * 2 + b"nonsense\r\n\r\n")
        received = read_all(client)
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


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

            process = Path(f"/proc/{service.process.pid}")
            send(499)
            before = resident(process)
            send(4500)
            assert resident(process) - before < 2048
        loaded = (process / "maps").read_text()
        text = service.client.get("/metrics").text
    assert re.search(r'inference_requests_total{code="200",.*} 995000.0', text)
    assert re.search(r'inference_requests_total{code="400",.*} 5000.0', text)
    assert "httptools" in loaded
    assert "onnxruntime" not in loaded
    assert "numpy" not in loaded
