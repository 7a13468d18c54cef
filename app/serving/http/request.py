"""Gathers one request at a time out of httptools' callbacks, and refuses what is not let in."""

from collections.abc import Callable

import httptools

from serving.http import answers
from serving.http.answers import Fixed
from serving.http.limits import Limits

#: The only headers that are looked at.
_READ = frozenset(
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

#: Those that may come more than once. Of the others nobody would know which one is meant.
_REPEATABLE = frozenset((b"connection", b"x-request-id"))

#: A body of more bytes has memory set aside before it comes.
_SMALL_BODY = 16 * 1024

#: Bytes that one byte of a body may take to send: a chunk of one byte has six around it.
_CHUNK_OVERHEAD = 8

#: What a body may call itself; curl says the last of anything that it is not told about.
_MEDIA_TYPES = frozenset(
    (b"application/json", b"text/json", b"text/plain", b"application/x-www-form-urlencoded")
)


class Refused(Exception):
    """Ends the parsing of a connection with an answer."""

    def __init__(self, answer: Fixed) -> None:
        """Takes the answer."""
        self.answer = answer


class Request:
    """One request while it arrives: the object whose methods httptools calls.

    `refusal` is set before Refused is raised, for the parser hides what its callbacks raise.
    """

    __slots__ = (
        "_count",
        "_done",
        "_limits",
        "_permit",
        "_reserve",
        "_size",
        "body",
        "headers",
        "in_head",
        "keep_alive",
        "method",
        "parser",
        "refusal",
        "reserved",
        "target",
        "timed",
        "under_way",
        "waited",
    )

    def __init__(
        self,
        limits: Limits,
        done: Callable[[], None],
        permit: Callable[[], None],
        reserve: Callable[[int], bool],
    ) -> None:
        """Calls `done` for each whole request, `permit` where a client waits for a 100.

        `reserve` is asked for the memory of a large body, and answers whether there is as much.
        """
        self._limits = limits
        self._done = done
        self._permit = permit
        self._reserve = reserve
        self.refusal: Fixed | None = None
        self.method = ""
        self.renew()

    def renew(self) -> None:
        """Starts over with a parser that has read nothing."""
        self.parser = httptools.HttpRequestParser(self)
        self.on_message_begin()
        self.in_head = self.under_way = False

    def is_padded(self) -> bool:
        """Whether far more has come than a head may have, or than the body is worth."""
        if self.in_head:
            return self.waited > self._limits.head + self._limits.target
        return self.waited > self._limits.head + _CHUNK_OVERHEAD * (len(self.body) + _SMALL_BODY)

    def on_message_begin(self) -> None:
        """Starts over."""
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: bytes | bytearray = b""
        self.reserved = 0
        self.keep_alive = False
        #: Bytes of a head or a body that came in several parts, and whether its time runs already.
        self.waited = 0
        self.timed = False
        self._count = self._size = 0
        self.in_head = self.under_way = True

    def on_url(self, part: bytes) -> None:
        """Takes the target, which may come in parts."""
        self.target += part
        if len(self.target) > self._limits.target:
            self._refuse(answers.TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Counts every header line, and keeps the few that matter."""
        value = value or b""
        self._count += 1
        self._size += len(name) + len(value) + 4
        name = name.lower()
        if name in _READ:
            if name in self.headers and name not in _REPEATABLE:
                self._refuse(answers.BAD_REQUEST)
            self.headers[name] = value
        if not self.in_head:  # a trailer
            self._check_size()

    def on_headers_complete(self) -> None:
        """Refuses by the headers alone what need not be read."""
        self._check_size()
        self.in_head = self.timed = False
        self.waited = 0
        parser, headers = self.parser, self.headers
        self.method = parser.get_method().decode("latin-1")
        self.keep_alive = parser.should_keep_alive()
        if self.method != "CONNECT" and parser.should_upgrade():
            return
        if b"connection" in headers and self._is_old():
            self.keep_alive = False  # what HTTP/1.0 knows of it is no standard
        if self.method == "CONNECT" or (b"host" not in headers and not self._is_old()):
            self._refuse(answers.BAD_REQUEST)
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return
        self._check_body(length, headers)
        if b"expect" in headers and not self._is_old():
            if headers[b"expect"].lower() != b"100-continue":
                self._refuse(answers.EXPECTATION_FAILED)
            self._permit()

    def on_body(self, part: bytes) -> None:
        """Takes a part of the body; most come in one."""
        if not self.body:
            self.body = part
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)  # many small parts must not be copied many times
            self.body += part
        if len(self.body) > self._limits.body:
            self._refuse(answers.TOO_LARGE)

    def again_without_upgrade(self) -> bytes:
        """Starts over; gives the head that is to be read then, for no other protocol."""
        lines = {**self.headers, b"connection": self._connection()}
        head = b"%b %b HTTP/1.1\r\n" % (self.method.encode(), self.target)
        self.renew()
        return head + b"".join(map(b"%b: %b\r\n".__mod__, lines.items())) + b"\r\n"

    def on_message_complete(self) -> None:
        """Hands the request over, unless it is read once more."""
        if self.parser.should_upgrade():
            return
        self.under_way = False
        self._done()

    def _connection(self) -> bytes:
        is_last = b"close" in self.headers.get(b"connection", b"").lower()
        return b"close" if is_last else b"keep-alive"

    def _is_old(self) -> bool:
        return bool(self.parser.get_http_version() == "1.0")

    def _check_size(self) -> None:
        if self._count > self._limits.header_count or self._size > self._limits.head:
            self._refuse(answers.HEAD_TOO_LARGE)

    def _check_body(self, length: bytes | None, headers: dict[bytes, bytes]) -> None:
        coding = headers.get(b"transfer-encoding")
        if coding is not None and (coding.lower() != b"chunked" or self._is_old()):
            self._refuse(answers.BAD_REQUEST)
        size = self._limits.body if length is None else int(length)
        if size > self._limits.body:
            self._refuse(answers.TOO_LARGE)
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            self._refuse(answers.UNSUPPORTED)
        media_type = headers.get(b"content-type", b"application/json")
        if media_type != b"application/json" and not _is_json(media_type):
            self._refuse(answers.UNSUPPORTED)
        if size > _SMALL_BODY:
            if not self._reserve(size):
                self._refuse(answers.OVERLOADED)
            self.reserved = size

    def _refuse(self, answer: Fixed) -> None:
        self.refusal = answer
        raise Refused(answer)


def _is_json(media_type: bytes) -> bool:
    name = media_type.partition(b";")[0].strip().lower()
    return name in _MEDIA_TYPES or name.endswith(b"+json") or not name
