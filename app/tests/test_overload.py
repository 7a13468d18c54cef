"""Overload: requests are refused at once, memory is bounded, and probes are served."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

from serving.endpoint import Endpoint
from tests.http_server import MIB, client_of, read_to_end, resident, running, slow
from tests.test_protocol import post, raw, read_all, read_answer

GET = raw(b"GET /healthz", b"Host: x")
ME = Path("/proc/self")


def test_requests_on_new_connections_are_refused_too() -> None:
    with running(slow(0.02), queue=4) as port, ExitStack() as opened:
        began = time.monotonic()
        clients = [opened.enter_context(client_of(port)) for _ in range(200)]
        for client in clients:
            client.sendall(post(b"{}", b"Connection: close"))
        with client_of(port) as probe:
            probe.sendall(GET)
            assert read_answer(probe)[1] == b"alive"
        assert time.monotonic() - began < 2  # 200 predictions take 4 s
        statuses = [read_answer(client)[0] for client in clients]
    assert set(statuses) == {200, 503}
    assert statuses.count(503) > 100


def test_a_client_that_reads_nothing_uses_little_memory() -> None:
    large = Endpoint("GET", lambda _: b"x" * 100_000)
    with running(large) as port, ExitStack() as opened:
        before = resident(ME)
        for _ in range(12):
            client = opened.enter_context(client_of(port))
            client.setblocking(False)
            client.send(raw(b"GET /predict", b"Host: x") * 3000)
        with client_of(port) as probe:
            for _ in range(10):
                began = time.monotonic()
                probe.sendall(GET)
                assert read_answer(probe)[1] == b"alive"
                assert time.monotonic() - began < 1
        assert resident(ME) - before < 100 * 1024  # all responses would be 3.6 GB


def test_one_client_does_not_fill_the_queue() -> None:
    with running(slow(0.005), queue=4) as port, client_of(port) as greedy, client_of(port) as other:
        greedy.sendall(post() * 300)
        for _ in range(20):
            other.sendall(post())
            assert read_answer(other)[0] == 200
        received = b""
        while received.count(b"HTTP/1.1 ") < 300:
            received += greedy.recv(65536)


def test_the_bodies_of_all_connections_are_limited() -> None:
    body = b" " * 60_000
    with running(slow(0), body=60_000, bodies=100_000) as port, ExitStack() as opened:
        first, second = (opened.enter_context(client_of(port)) for _ in range(2))
        first.sendall(post(body)[:-1])
        time.sleep(0.2)
        second.sendall(post(body)[:-1])
        status, _, headers = read_answer(second)
        assert (status, "retry-after: 1" in headers) == (503, True)
        first.sendall(body[-1:])
        assert read_answer(first)[0] == 200
        for _ in range(5):
            first.sendall(post(body))
            assert read_answer(first)[0] == 200


def test_each_head_has_the_full_timeout() -> None:
    with running(slow(0), head_seconds=0.5) as port, client_of(port) as client:
        whole = post()
        client.sendall(whole[:-10])
        time.sleep(0.1)
        client.sendall(whole[-10:] + b"POST /pre")
        assert read_answer(client)[0] == 200
        began = time.monotonic()
        assert read_answer(client)[0] == 408
        assert time.monotonic() - began < 3


def test_the_timeout_does_not_include_the_time_of_the_service() -> None:
    with running(slow(2), head_seconds=0.6) as port, ExitStack() as opened:
        busy, late = (opened.enter_context(client_of(port)) for _ in range(2))
        late.sendall(GET[:10])
        time.sleep(0.1)
        busy.sendall(post())
        time.sleep(0.2)
        late.sendall(GET[10:])
        assert read_answer(late)[0] == 200


def test_a_slow_reader_gets_the_whole_response() -> None:
    size = 16 * MIB
    with running(slow(0, b"x" * size), write_seconds=1) as port, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect(("127.0.0.1", port))
        client.sendall(post(b"{}", b"Connection: close"))
        received = 0
        for _ in range(40):
            time.sleep(0.1)
            received += len(client.recv(MIB // 4, socket.MSG_WAITALL))
        assert received + read_to_end(client) > size


def test_a_half_closed_connection_is_closed_after_its_last_response() -> None:
    with running(slow(0.02)) as port, client_of(port) as client:
        client.sendall(post() * 5)
        client.shutdown(socket.SHUT_WR)
        received = read_all(client)
    assert received.count(b"HTTP/1.1 200") == 5


def test_a_stop_serves_connections_in_the_backlog() -> None:
    with ExitStack() as opened:
        with running(slow(0.3)) as port:
            clients = [opened.enter_context(client_of(port)) for _ in range(10)]
            clients[0].sendall(post())
            time.sleep(0.1)  # from here on the server computes, and accepts no connection
            clients += [opened.enter_context(client_of(port)) for _ in range(20)]
            for client in clients[1:]:
                client.sendall(GET)
        assert {read_answer(client)[0] for client in clients} == {200}
