"""Raw bytes over real sockets: errors, timeouts, and no input in a response."""

import http.client
import json
import socket
import time
from typing import BinaryIO

import pytest

from tests.support import Serving, estimator

GOOD = b'{"features": [3.2, 1.5]}'
TOKEN = b"canary-6d1f"
#: Longer than any timeout, including those of receiving a request.
TIMEOUT = 10


def post(body: bytes = GOOD, *lines: bytes, target: bytes = b"/predict") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return raw(b"POST " + target, b"Host: x", length, *lines, body=body)


def raw(start: bytes, *lines: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"%b %b" % (start, version), *lines, b"X-Token: " + TOKEN, b"", body])


def chunked(body: bytes, *lines: bytes) -> bytes:
    return raw(b"POST /predict", b"Host: x", b"Transfer-Encoding: chunked", *lines, body=body)


REQUESTS = {
    "plain": (post(), 200),
    "no content type": (post(), 200),
    "JSON with a charset": (post(GOOD, b"Content-Type: application/json; charset=utf-8"), 200),
    "the type of curl": (post(GOOD, b"Content-Type: application/x-www-form-urlencoded"), 200),
    "a JSON dialect": (post(GOOD, b"Content-Type: application/vnd.x+json"), 200),
    "chunked": (chunked(b"18\r\n" + GOOD + b"\r\n0\r\n\r\n"), 200),
    "HTTP/1.0 without Host": (raw(b"GET /healthz", version=b"HTTP/1.0"), 200),
    "a query": (post(target=b"/predict?x=1"), 200),
    "absolute form in capitals": (raw(b"GET HTTP://X/healthz", b"Host: x"), 200),
    "Connection twice": (post(GOOD, b"Connection: a", b"Connection: b"), 200),
    "HTTP/1.0 in chunks": (
        raw(
            b"POST /predict",
            b"Transfer-Encoding: chunked",
            body=b"0\r\n\r\n",
            version=b"HTTP/1.0",
        ),
        400,
    ),
    "HTTP/1.0 expects": (
        raw(
            b"POST /predict",
            b"Expect: 100-continue",
            b"Content-Length: 24",
            body=GOOD,
            version=b"HTTP/1.0",
        ),
        200,
    ),
    "5,000 trailers": (chunked(b"0\r\n" + b"A: b\r\n" * 5000 + b"\r\n"), 431),
    "a long trailer": (chunked(b"0\r\nA: " + b"a" * 1_000_000), 431),
    "a long chunk extension": (chunked(b"2;x=" + b"a" * 1_000_000), 431),
    "multipart": (post(GOOD, b"Content-Type: multipart/form-data; boundary=x"), 415),
    "octets": (post(GOOD, b"Content-Type: application/octet-stream"), 415),
    "gzip": (post(b"\x1f\x8b\x08\x00", b"Content-Encoding: gzip"), 415),
    "no Host": (raw(b"GET /healthz"), 400),
    "two Hosts": (raw(b"GET /healthz", b"Host: x", b"Host: y"), 400),
    "two lengths": (post(GOOD, b"Content-Length: 2"), 400),
    "the length twice": (post(GOOD, b"Content-Length: 24"), 400),
    "length and chunks": (chunked(b"0\r\n\r\n", b"Content-Length: 5"), 400),
    "bad chunk": (chunked(b"xyz\r\n"), 400),
    "another transfer coding": (
        raw(b"POST /predict", b"Host: x", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        400,
    ),
    "an invalid length": (raw(b"POST /predict", b"Host: x", b"Content-Length: ten"), 400),
    "NUL in a header": (raw(b"GET /healthz", b"Host: x", b"A: b\x00c"), 400),
    "space before the colon": (raw(b"GET /healthz", b"Host: x", b"A : b"), 400),
    "no method": (b"\r\n\r\n /healthz\r\n\r\n", 400),
    "unknown method": (raw(b"FETCH /healthz", b"Host: x"), 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, 400),
    "upgrade": (raw(b"GET /healthz", b"Host: x", b"Connection: Upgrade", b"Upgrade: x"), 200),
    "CONNECT": (raw(b"CONNECT x:443", b"Host: x"), 400),
    "an unknown expectation": (post(GOOD, b"Expect: 200-maybe"), 417),
    "100 kB header": (post(GOOD, b"A: " + b"a" * 100_000), 431),
    "2,000 headers": (post(GOOD, *[b"A%d: b" % number for number in range(2000)]), 431),
    "101 headers": (post(GOOD, *[b"A%d: b" % number for number in range(101)]), 431),
    "long target": (post(target=b"/" + b"a" * 9000), 414),
    "too large, not sent": (
        raw(b"POST /predict", b"Host: x", b"Content-Length: 99999999"),
        413,
    ),
    "TRACE": (raw(b"TRACE /predict", b"Host: x"), 405),
    "PATCH": (raw(b"PATCH /predict", b"Host: x"), 405),
    "OPTIONS of the server": (raw(b"OPTIONS *", b"Host: x"), 404),
    "absolute form": (raw(b"GET http://x/healthz?a=1", b"Host: x"), 200),
    "absolute form of nothing": (raw(b"GET http://x", b"Host: x"), 404),
    "dots": (post(target=b"/../predict"), 404),
    "coded slash": (post(target=b"/predict%2f"), 404),
    "two slashes": (post(target=b"//predict"), 404),
    "odd path": (post(target=b"/<script>" + TOKEN), 404),
    "another model": (raw(b"GET /v2/models/" + TOKEN, b"Host: x"), 404),
    "a path out of the models": (raw(b"GET /v2/models/../../metrics", b"Host: x"), 404),
}


def connect(service: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=TIMEOUT)


def read_answer(connection: socket.socket, method: str = "POST") -> tuple[int, bytes, str]:
    answer = http.client.HTTPResponse(connection, method=method)
    answer.begin()
    body = answer.read()
    return answer.status, body, str(answer.headers)


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def is_healthy(service: Serving) -> bool:
    answer = service.predict(GOOD)
    expected = estimator().predict([[3.2, 1.5]]).tolist()
    return bool(
        answer.status_code == 200 and answer.json()["prediction"] == pytest.approx(expected)
    )


@pytest.mark.parametrize(("sent", "status"), REQUESTS.values(), ids=REQUESTS.keys())
def test_raw_request(service: Serving, sent: bytes, status: int) -> None:
    with connect(service) as connection:
        connection.sendall(sent)
        given, body, headers = read_answer(connection)
    assert given == status
    assert "x-model-name: demo\nx-model-version: 3\n" in headers
    assert TOKEN not in body
    assert TOKEN.decode() not in headers
    assert is_healthy(service)


@pytest.mark.parametrize("name", ["two lengths", "bad chunk", "NUL in a header", "gzip"])
def test_nothing_after_a_refused_request_is_answered(service: Serving, name: str) -> None:
    with connect(service) as connection:
        connection.sendall(REQUESTS[name][0] + post())
        received = read_all(connection)
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in received


def test_head_has_no_body(service: Serving) -> None:
    with connect(service) as connection:
        connection.sendall(raw(b"HEAD /healthz", b"Host: x"))
        assert read_answer(connection, "HEAD")[:2] == (200, b"")
        connection.sendall(raw(b"GET /healthz", b"Host: x"))
        assert read_answer(connection, "GET")[:2] == (200, b'{"status":"alive"}')


def test_a_client_may_wait_for_100_continue(service: Serving) -> None:
    head, _, body = post(GOOD, b"Expect: 100-continue").partition(GOOD)
    assert body == b""
    with connect(service) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(GOOD)
        assert read_answer(connection)[0] == 200


def test_an_upgrade_is_ignored(service: Serving) -> None:
    """Java's client requests HTTP/2 in this way with the first request of each connection."""
    lines = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    with connect(service) as connection:
        for sent in (post(GOOD, *lines), post(), raw(b"GET /healthz", b"Host: x", *lines)):
            connection.sendall(sent)
            assert read_answer(connection)[0] == 200, sent
        connection.sendall(post(GOOD, *lines) + post(GOOD, b"Connection: close"))
        received = read_all(connection)
    assert received.count(b"HTTP/1.1 200") == 2


def test_http_1_0_is_not_kept_alive(service: Serving) -> None:
    with connect(service) as connection:
        connection.sendall(raw(b"GET /healthz", b"Connection: keep-alive", version=b"HTTP/1.0") * 2)
        received = read_all(connection)
    assert received.count(b"HTTP/1.1 200") == 1


def test_half_closed(service: Serving) -> None:
    with connect(service) as connection:
        connection.sendall(post() * 3)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            answers = [next_answer(stream) for _ in range(3)]
            assert stream.read() == b""
    assert all(answer.keys() == {"prediction"} for answer in answers)


def test_pipelined_responses_are_in_order(service: Serving) -> None:
    bodies = [b'{"features": [%d, 0]}' % number for number in range(200)]
    expected = estimator().predict([[number, 0] for number in range(200)])
    with connect(service) as connection:
        connection.sendall(b"".join(map(post, bodies)))
        with connection.makefile("rb") as stream:
            given = [next_answer(stream)["prediction"][0] for _ in bodies]
    assert given == pytest.approx(expected.tolist(), rel=1e-6)


def next_answer(stream: BinaryIO) -> dict[str, list[float]]:
    length = 0
    while (line := stream.readline()) != b"\r\n":
        if line.startswith(b"content-length:"):
            length = int(line.split()[1])
    answer: dict[str, list[float]] = json.loads(stream.read(length) or b"")
    return answer


def test_500_slow_clients_do_not_delay_others(service: Serving) -> None:
    starts = [b"POST /predict HTTP/1.1\r\nHost: x\r\nA: ", post()[: -len(GOOD)]]
    clients = [connect(service) for _ in range(500)]
    for number, client in enumerate(clients):
        client.sendall(starts[number % 2])
    began = time.monotonic()
    slowest = 0.0
    while time.monotonic() - began < 4:
        for client in clients[:20]:
            client.sendall(b"x")
        before = time.monotonic()
        assert is_healthy(service)
        slowest = max(slowest, time.monotonic() - before)
        time.sleep(1)
    assert slowest < 1
    statuses = {read_answer(client)[0] for client in clients}
    assert statuses == {408}
    assert all(client.recv(1) == b"" for client in clients)
    assert time.monotonic() - began < TIMEOUT
    for client in clients:
        client.close()


def test_odd_paths_and_methods_add_no_series(service: Serving) -> None:
    def series() -> int:
        return service.client.get("/metrics").text.count("\n")

    with connect(service) as connection:
        connection.sendall(raw(b"GET /nothing", b"Host: x") + raw(b"BREW /", b"Host: x"))
        read_answer(connection)
    for method in ("GET", "PUT"):
        service.client.request(method, "/healthz")
    series()  # the first scrape adds a series of its own
    before = series()
    for number in range(1000):
        service.client.get(f"/{number}")
    for method in ("GET", "POST", "DELETE", "LINK", "PURGE", "MKCOL"):
        service.client.request(method, "/also/nothing")
        assert service.client.request(method, "/v2/models/other").status_code == 404
    assert series() == before
