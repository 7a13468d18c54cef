"""Assembles one request at a time from httptools' callbacks, and refuses invalid ones."""

from collections.abc import Callable

import httptools

from serving.http import responses
from serving.http.limits import Limits
from serving.http.responses import StaticResponse

#: The only headers that are used.
_KEPT_HEADERS = frozenset(
    (
        b"host",
        b"connection",
        b"expect",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"transfer-encoding",
        b"x-request-id",
    )
)

#: Headers that may be repeated. For the others it would be unclear which value applies.
_REPEATABLE = frozenset((b"connection", b"x-request-id"))

#: Memory is reserved for a larger body before it is received.
_SMALL_BODY = 16 * 1024

#: Bytes on the wire per byte of a body: a chunk of one byte has six bytes around it.
_CHUNK_OVERHEAD = 8

#: Accepted media types; curl sends the last one unless it is told otherwise.
_MEDIA_TYPES = frozenset(
    (b"application/json", b"text/json", b"text/plain", b"application/x-www-form-urlencoded")
)


class RequestRefused(Exception):
    """Ends parsing with an error response."""

    def __init__(self, answer: StaticResponse) -> None:
        """Takes the response."""
        self.answer = answer


class Request:
    """One request while it is received: httptools calls the methods.

    `refusal` is set before RequestRefused is raised: the parser hides exceptions of its callbacks.
    """

    __slots__ = (
        "_complete",
        "_count",
        "_limits",
        "_reserve",
        "_send_continue",
        "_size",
        "body",
        "headers",
        "in_head",
        "in_progress",
        "keep_alive",
        "method",
        "parser",
        "received",
        "refusal",
        "reserved",
        "target",
        "timing",
    )

    def __init__(
        self,
        limits: Limits,
        complete: Callable[[], None],
        send_continue: Callable[[], None],
        reserve: Callable[[int], bool],
    ) -> None:
        """Calls `complete` for each complete request, `send_continue` if a client waits for a 100.

        `reserve` reserves the memory of a large body, and returns whether there is enough.
        """
        self._limits = limits
        self._complete = complete
        self._send_continue = send_continue
        self._reserve = reserve
        self.refusal: StaticResponse | None = None
        self.method = ""
        self.reset()

    def reset(self) -> None:
        """Starts over with a new parser."""
        self.parser = httptools.HttpRequestParser(self)
        self.on_message_begin()
        self.in_head = self.in_progress = False

    def is_oversized(self) -> bool:
        """Whether far more was received than a head may have, or than the body contains."""
        if self.in_head:
            return self.received > self._limits.head + self._limits.target
        return self.received > self._limits.head + _CHUNK_OVERHEAD * (len(self.body) + _SMALL_BODY)

    def on_message_begin(self) -> None:
        """Resets the fields for a new request."""
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: bytes | bytearray = b""
        self.reserved = 0
        self.keep_alive = False
        #: Bytes of an incomplete head or body, and whether its timeout has started.
        self.received = 0
        self.timing = False
        self._count = self._size = 0
        self.in_head = self.in_progress = True

    def on_url(self, chunk: bytes) -> None:
        """Adds to the target, which may come in several chunks."""
        self.target += chunk
        if len(self.target) > self._limits.target:
            self._refuse(responses.TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Counts every header line, and keeps those that are used."""
        value = value or b""
        self._count += 1
        self._size += len(name) + len(value) + 4
        name = name.lower()
        if name in _KEPT_HEADERS:
            if name in self.headers and name not in _REPEATABLE:
                self._refuse(responses.BAD_REQUEST)
            self.headers[name] = value
        if not self.in_head:  # a trailer
            self._check_size()

    def on_headers_complete(self) -> None:
        """Refuses what the headers alone show to be invalid, before the body is read."""
        self._check_size()
        self.in_head = self.timing = False
        self.received = 0
        parser, headers = self.parser, self.headers
        self.method = parser.get_method().decode("latin-1")
        self.keep_alive = parser.should_keep_alive()
        if self.method != "CONNECT" and parser.should_upgrade():
            return
        if b"connection" in headers and self._is_http_1_0():
            self.keep_alive = False  # keep-alive in HTTP/1.0 is not standardized
        if self.method == "CONNECT" or (b"host" not in headers and not self._is_http_1_0()):
            self._refuse(responses.BAD_REQUEST)
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return
        self._check_body(length, headers)
        if b"expect" in headers and not self._is_http_1_0():
            if headers[b"expect"].lower() != b"100-continue":
                self._refuse(responses.EXPECTATION_FAILED)
            self._send_continue()

    def on_body(self, chunk: bytes) -> None:
        """Adds to the body; most bodies come in one chunk."""
        if not self.body:
            self.body = chunk
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)  # many small chunks must not be copied many times
            self.body += chunk
        if len(self.body) > self._limits.body:
            self._refuse(responses.TOO_LARGE)

    def restart_without_upgrade(self) -> bytes:
        """Starts over; returns the same head without Upgrade, to be parsed again."""
        lines = {**self.headers, b"connection": self._connection_header()}
        head = b"%b %b HTTP/1.1\r\n" % (self.method.encode(), self.target)
        self.reset()
        return head + b"".join(map(b"%b: %b\r\n".__mod__, lines.items())) + b"\r\n"

    def on_message_complete(self) -> None:
        """Passes the request on, unless it is parsed again without Upgrade."""
        if self.parser.should_upgrade():
            return
        self.in_progress = False
        self._complete()

    def _connection_header(self) -> bytes:
        is_last = b"close" in self.headers.get(b"connection", b"").lower()
        return b"close" if is_last else b"keep-alive"

    def _is_http_1_0(self) -> bool:
        return bool(self.parser.get_http_version() == "1.0")

    def _check_size(self) -> None:
        if self._count > self._limits.header_count or self._size > self._limits.head:
            self._refuse(responses.HEAD_TOO_LARGE)

    def _check_body(self, length: bytes | None, headers: dict[bytes, bytes]) -> None:
        coding = headers.get(b"transfer-encoding")
        if coding is not None and (coding.lower() != b"chunked" or self._is_http_1_0()):
            self._refuse(responses.BAD_REQUEST)
        size = self._limits.body if length is None else int(length)
        if size > self._limits.body:
            self._refuse(responses.TOO_LARGE)
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            self._refuse(responses.UNSUPPORTED)
        media_type = headers.get(b"content-type", b"application/json")
        if media_type != b"application/json" and not _is_json(media_type):
            self._refuse(responses.UNSUPPORTED)
        if size > _SMALL_BODY:
            if not self._reserve(size):
                self._refuse(responses.OVERLOADED)
            self.reserved = size

    def _refuse(self, answer: StaticResponse) -> None:
        self.refusal = answer
        raise RequestRefused(answer)


def _is_json(media_type: bytes) -> bool:
    name = media_type.partition(b";")[0].strip().lower()
    return name in _MEDIA_TYPES or name.endswith(b"+json") or not name
