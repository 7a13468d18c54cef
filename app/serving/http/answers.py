"""The bytes of answers. What does not depend on the request is joined once."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from time import time
from urllib.parse import quote
from wsgiref.handlers import format_date_time

JSON = "application/json"

#: The line of an answer that is a connection's last.
CLOSE = b"connection: close\r\n"

_HEADER_SAFE = "".join(map(chr, range(0x20, 0x7F)))


def head(status: int, content_type: str = JSON, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A status line and headers, up to where `Date`, `Content-Length` and the body follow."""
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return first + lines((("content-type", content_type), *headers))


def lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Header lines. What cannot stand in one, such as a line break in a name, is percent-coded."""
    return b"".join(
        f"{name}: {quote(value, safe=_HEADER_SAFE)}\r\n".encode() for name, value in headers
    )


def date() -> bytes:
    """The `Date` line of now, which RFC 9110 (6.6.1) asks of every server with a clock."""
    return f"date: {format_date_time(time())}\r\n".encode()


class Fixed:
    """An answer that is the same for everybody."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Joins the head."""
        self.status = status
        self.head = head(status, headers=headers)
        self.body = body


def _error(status: int, text: str, *headers: tuple[str, str]) -> Fixed:
    return Fixed(status, b'{"error":"%b"}' % text.encode(), *headers)


_LATER = ("retry-after", "1")

NOT_FOUND = _error(404, "Not found")
INTERNAL_ERROR = _error(500, "Internal error")
NOT_READY = _error(503, "Model not ready", _LATER)
OVERLOADED = _error(503, "Overloaded", _LATER)

#: Refusals of a request as such, before any endpoint has seen it: the connection ends with them.
BAD_REQUEST = _error(400, "Bad request")
TIMED_OUT = _error(408, "Request timeout")
TOO_LARGE = _error(413, "Body too large")
TARGET_TOO_LONG = _error(414, "Request target too long")
UNSUPPORTED = _error(415, "Unsupported media type", ("accept", JSON))
EXPECTATION_FAILED = _error(417, "Expectation failed")
HEAD_TOO_LARGE = _error(431, "Headers too large")


@cache
def invalid(reason: str) -> bytes:
    """The head of the 400 of an endpoint, which names one of its few reasons."""
    return head(400, headers=(("x-error-reason", reason),))


@cache
def not_allowed(method: str) -> Fixed:
    """The 405 of a path that answers another method."""
    allowed = "GET, HEAD" if method == "GET" else method
    return _error(405, "Method not allowed", ("allow", allowed))
