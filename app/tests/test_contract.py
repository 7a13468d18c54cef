"""POST /predict over real HTTP: valid and invalid requests."""

import http.client
import json
import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http.limits import Limits
from tests.support import Serving, estimator

MAX_BODY_BYTES = Limits.body
INVALID = b'{"error":"Invalid input"}'
DEEP = b"[" * 10_000

BAD_BODIES = [
    pytest.param(body, id=name)
    for name, body in {
        "empty": b"",
        "not JSON": b"features=3.2",
        "null": b"null",
        "a list": b"[3.2, 1.5]",
        "a number": b"3.2",
        "no key": b"{}",
        "other key": b'{"instances": [3.2, 1.5]}',
        "key in capitals": b'{"Features": [3.2, 1.5]}',
        "extra key": b'{"features": [3.2, 1.5], "id": 1}',
        "prototype key": b'{"features": [3.2, 1.5], "__proto__": {}}',
        "repeated key": b'{"features": [3.2, 1.5], "features": [0, 0]}',
        "repeated key, escaped": b'{"features": [3.2, 1.5], "\\u0066eatures": [0, 0]}',
        "features null": b'{"features": null}',
        "features a number": b'{"features": 3.2}',
        "features text": b'{"features": "3.2,1.5"}',
        "features an object": b'{"features": {"0": 3.2, "1": 1.5}}',
        "no features": b'{"features": []}',
        "one feature": b'{"features": [3.2]}',
        "three features": b'{"features": [3.2, 1.5, 0]}',
        "nested twice": b'{"features": [[[3.2, 1.5]]]}',
        "no rows": b'{"features": [[]]}',
        "another column": b'{"features": {"feature1": 3.2, "feature3": 1.5}}',
        "a column twice": b'{"features": {"feature1": 3, "feature2": 1, "feature1": 2}}',
        "too many rows": b'{"features": [%s]}' % b",".join([b"[1,2]"] * 1001),
        "ragged": b'{"features": [[3.2], 1.5]}',
        "true": b'{"features": [true, 1.5]}',
        "numeric text": b'{"features": ["3.2", 1.5]}',
        "null inside": b'{"features": [null, 1.5]}',
        "object inside": b'{"features": [{}, 1.5]}',
        "NaN": b'{"features": [NaN, 1.5]}',
        "Infinity": b'{"features": [Infinity, 1.5]}',
        "-Infinity": b'{"features": [-Infinity, 1.5]}',
        "1e999": b'{"features": [1e999, 1.5]}',
        "5000 digits": b'{"features": [%s, 1.5]}' % (b"9" * 5000),
        "overflows the model": b'{"features": [1.7e308, 1.7e308]}',
        "hexadecimal": b'{"features": [0x10, 1.5]}',
        "leading zero": b'{"features": [03.2, 1.5]}',
        "bare point": b'{"features": [3., 1.5]}',
        "trailing comma": b'{"features": [3.2, 1.5,]}',
        "trailing bytes": b'{"features": [3.2, 1.5]} x',
        "two documents": b'{"features": [3.2, 1.5]}{"features": [3.2, 1.5]}',
        "truncated": b'{"features": [3.2, 1.5',
        "comment": b'{"features": [3.2, 1.5]} // x',
        "single quotes": b"{'features': [3.2, 1.5]}",
        "byte order mark": b'\xef\xbb\xbf{"features": [3.2, 1.5]}',
        "NUL": b'{"features": [3.2, 1.5]}\x00',
        "not UTF-8": b'{"features\xff": [3.2, 1.5]}',
        "UTF-16": '{"features": [3.2, 1.5]}'.encode("utf-16"),
        "lone surrogate": b'{"\\ud800": [3.2, 1.5]}',
        "deep list": DEEP,
        "deep features": b'{"features": ' + DEEP,
        "deep extra key": b'{"x": ' + DEEP,
        "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    }.items()
]


@pytest.fixture
def client(service: Serving) -> httpx.Client:
    return service.client


@pytest.mark.parametrize("body", BAD_BODIES)
def test_bad_body(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/predict", content=body)
    assert (answer.status_code, answer.content) == (400, INVALID)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "features",
    [[3.2, 1.5], [0, -0.0], [32, 101], [5e-324, -1e-300], [1e200, -1e200], [2**64, 10**300]],
)
def test_good_body(client: httpx.Client, features: list[float]) -> None:
    answer = client.post("/predict", json={"features": features})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    expected = estimator().predict([features]).tolist()
    assert answer.json() == {"prediction": pytest.approx(expected, rel=1e-6, abs=0)}


def test_the_body_byte_for_byte(client: httpx.Client) -> None:
    answer = client.post("/predict", content=b'{"features": [3.2, 1.5]}\n')
    value = float(estimator().predict([[3.2, 1.5]])[0])
    assert json.loads(answer.content) == {"prediction": [pytest.approx(value, rel=1e-12)]}
    assert answer.content.startswith(b'{"prediction":[')


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=2))
def test_equals_the_estimator(service: Serving, features: list[float]) -> None:
    answer = service.predict(json.dumps({"features": features}).encode())
    assert answer.status_code == 200
    terms = [1.7 * abs(x) for x in features]
    expected = float(estimator().predict([features])[0])
    # Relative to the terms of the sum, which may be much larger than the sum.
    assert answer.json()["prediction"][0] == pytest.approx(
        expected, rel=1e-6, abs=1e-12 * sum(terms)
    )


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(service: Serving, body: bytes) -> None:
    answer = service.predict(body)
    assert (answer.status_code, answer.content) == (400, INVALID)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/predict", 405, "POST"),
        ("PUT", "/predict", 405, "POST"),
        ("OPTIONS", "/predict", 405, "POST"),
        ("POST", "/healthz", 405, "GET, HEAD"),
        ("DELETE", "/metrics", 405, "GET, HEAD"),
        ("POST", "/predict/", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/favicon.ico", 404, None),
        ("GET", "/healthz", 200, None),
        ("HEAD", "/readyz", 200, None),
        ("GET", "/readyz?verbose", 200, None),
    ],
)
def test_routes(
    client: httpx.Client, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers.get("allow") == allow


def padded(size: int) -> bytes:
    return b'{"features": [3.2, 1.5]}'.ljust(size)


def test_body_limit(service: Serving) -> None:
    assert service.predict(padded(MAX_BODY_BYTES)).status_code == 200
    answer = service.predict(padded(MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.content) == (413, b'{"error":"Body too large"}')


def test_body_limit_without_content_length(service: Serving) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        body = padded(size)
        for start in range(0, size, 1000):
            yield body[start : start + 1000]

    for size, status in ((MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)):
        assert service.client.post("/predict", content=chunks(size)).status_code == status


@pytest.mark.parametrize("length", ["-1", "abc", "1, 2"])
def test_invalid_content_length(service: Serving, length: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    connection.request("POST", "/predict", headers={"Content-Length": length})
    assert connection.getresponse().status == 400
    connection.close()


def test_a_client_that_disconnects_does_not_affect_others(service: Serving) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", service.port)) as half:
            half.sendall(b'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"fea')
    assert service.predict(b'{"features": [3.2, 1.5]}').status_code == 200
    assert service.process.poll() is None
    assert [line for line in service.log() if line["level"] == "error"] == []
