"""The bytes of responses. Those that do not depend on the request are encoded once."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from time import time
from urllib.parse import quote
from wsgiref.handlers import format_date_time

JSON = "application/json"

#: The header line of the last response on a connection.
CLOSE = b"connection: close\r\n"

_HEADER_SAFE = "".join(map(chr, range(0x20, 0x7F)))


def head(status: int, content_type: str = JSON, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The status line and headers. `Date`, `Content-Length` and the body follow."""
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return first + lines((("content-type", content_type), *headers))


def lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Header lines. Characters that are not allowed, such as a line break, are percent-encoded."""
    return b"".join(
        f"{name}: {quote(value, safe=_HEADER_SAFE)}\r\n".encode() for name, value in headers
    )


def date() -> bytes:
    """The current `Date` line, which RFC 9110 (6.6.1) requires of a server with a clock."""
    return f"date: {format_date_time(time())}\r\n".encode()


class StaticResponse:
    """A response that does not depend on the request."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Encodes the head."""
        self.status = status
        self.head = head(status, headers=headers)
        self.body = body


def _error(status: int, text: str, *headers: tuple[str, str]) -> StaticResponse:
    return StaticResponse(status, b'{"error":"%b"}' % text.encode(), *headers)


_RETRY_AFTER = ("retry-after", "1")

NOT_FOUND = _error(404, "Not found")
INTERNAL_ERROR = _error(500, "Internal error")
NOT_READY = _error(503, "Model not ready", _RETRY_AFTER)
OVERLOADED = _error(503, "Overloaded", _RETRY_AFTER)

#: Errors of a request before an endpoint is called: the connection is closed after them.
BAD_REQUEST = _error(400, "Bad request")
TIMED_OUT = _error(408, "Request timeout")
TOO_LARGE = _error(413, "Body too large")
TARGET_TOO_LONG = _error(414, "Request target too long")
UNSUPPORTED = _error(415, "Unsupported media type", ("accept", JSON))
EXPECTATION_FAILED = _error(417, "Expectation failed")
HEAD_TOO_LARGE = _error(431, "Headers too large")


@cache
def invalid(reason: str) -> bytes:
    """The head of the 400 of an endpoint, with one of its few reasons."""
    return head(400, headers=(("x-error-reason", reason),))


@cache
def not_allowed(method: str) -> StaticResponse:
    """The 405 of a path that serves another method."""
    allowed = "GET, HEAD" if method == "GET" else method
    return _error(405, "Method not allowed", ("allow", allowed))
