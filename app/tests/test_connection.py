"""A connection alone: any bytes in any chunks."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.endpoint import Endpoint
from serving.http.connection import Connection
from tests.http_server import make_server
from tests.test_protocol import GOOD, post, raw


class Transport(asyncio.Transport):
    """Records what is written."""

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

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def responses_to(parts: list[bytes]) -> bytes:
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
def test_any_chunks_give_the_same_responses(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[a:b] for a, b in pairwise(places)]
    written, whole = (b"\r\n".join(without_date(responses_to(p))) for p in (parts, [STREAM]))
    assert written == whole
    assert whole.count(b"HTTP/1.1 200 ") == 3
    assert whole.count(b"HTTP/1.1 415 ") == 1


def without_date(answers: bytes) -> list[bytes]:
    return [line for line in answers.split(b"\r\n") if not line.startswith(b"date:")]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(st.binary(), st.sampled_from([STREAM, GOOD, b"\r\n", b"POST "]))))
def test_no_bytes_raise_an_exception(parts: list[bytes]) -> None:
    assert b"HTTP/1.1 5" not in responses_to(parts)
