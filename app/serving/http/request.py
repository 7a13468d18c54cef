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
        b"expect",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"transfer-encoding",
        b"x-request-id",
    )
)

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
        "_continue",
        "_count",
        "_done",
        "_limits",
        "_size",
        "body",
        "headers",
        "in_body",
        "in_head",
        "keep_alive",
        "method",
        "parser",
        "refusal",
        "target",
        "timed",
        "waited",
    )

    def __init__(self, limits: Limits, done: Callable[[], None], go_on: Callable[[], None]) -> None:
        """Calls `done` for each whole request, and `go_on` where a client waits for a 100."""
        self._limits = limits
        self._done = done
        self._continue = go_on
        self.parser = httptools.HttpRequestParser(self)
        self.refusal: Fixed | None = None
        self.method = ""
        self.in_body = False
        self.on_message_begin()
        self.in_head = False

    def on_message_begin(self) -> None:
        """Starts over."""
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: bytes | bytearray = b""
        self.keep_alive = False
        #: Bytes of a head that came in several parts, and whether the body's time runs already.
        self.waited = 0
        self.timed = False
        self._count = self._size = 0
        self.in_head = True

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
            if name in self.headers and name != b"x-request-id":
                self._refuse(answers.BAD_REQUEST)  # two lengths, two hosts: nobody knows which
            self.headers[name] = value

    def on_headers_complete(self) -> None:
        """Refuses by the headers alone what need not be read."""
        self.in_head = False
        if self._count > self._limits.header_count or self._size > self._limits.head:
            self._refuse(answers.HEAD_TOO_LARGE)
        parser, headers = self.parser, self.headers
        self.method = parser.get_method().decode("latin-1")
        self.keep_alive = parser.should_keep_alive()
        if parser.should_upgrade() or (
            b"host" not in headers and parser.get_http_version() != "1.0"
        ):
            self._refuse(answers.BAD_REQUEST)
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return
        self.in_body = True
        self._check_body(length, headers)
        if b"expect" in headers:
            if headers[b"expect"].lower() != b"100-continue":
                self._refuse(answers.EXPECTATION_FAILED)
            self._continue()

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

    def on_message_complete(self) -> None:
        """Hands the request over."""
        self.in_body = False
        self._done()

    def _check_body(self, length: bytes | None, headers: dict[bytes, bytes]) -> None:
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            self._refuse(answers.BAD_REQUEST)
        if length is not None and int(length) > self._limits.body:
            self._refuse(answers.TOO_LARGE)
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            self._refuse(answers.UNSUPPORTED)
        media_type = headers.get(b"content-type", b"application/json")
        if media_type != b"application/json" and not _is_json(media_type):
            self._refuse(answers.UNSUPPORTED)

    def _refuse(self, answer: Fixed) -> None:
        self.refusal = answer
        raise Refused(answer)


def _is_json(media_type: bytes) -> bool:
    name = media_type.partition(b";")[0].strip().lower()
    return name in _MEDIA_TYPES or name.endswith(b"+json") or not name
