"""What a path answers, with all that can be known of its answers before the first request."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from serving.endpoint import Endpoint, Handler
from serving.http import answers
from serving.http.answers import Fixed

#: Told of every answer: its status, and the seconds from the whole request to the answer.
Record = Callable[[int, float], None]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint, and the bytes around its answers."""

    method: str
    handle: Handler
    #: Of a 200.
    head: bytes
    #: Waits its turn among the others; the rest are answered at once.
    queued: bool
    record: Record
    #: The answer to whatever is asked, in place of what `handle` gives.
    fixed: Fixed | None = None

    @staticmethod
    def of(endpoint: Endpoint, record: Record) -> "Route":
        """Joins the bytes."""
        head = answers.head(200, endpoint.content_type, endpoint.headers)
        return Route(endpoint.method, endpoint.handle, head, endpoint.counted, record)

    def otherwise(self, method: str) -> Fixed | None:
        """The answer to another method than its own: a 405, but for the HEAD of a GET."""
        if method == "HEAD" and self.method == "GET":
            return self.fixed
        return answers.not_allowed(self.method)


def request_id(sent: bytes) -> str:
    """The caller's own id where it is fit to be logged, or a new one."""
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else token_hex(8)


def path_of(target: bytes) -> bytes:
    """The path of a target, which a proxy may send in absolute form (RFC 9112, 3.2.2)."""
    path = target.partition(b"?")[0]
    _, is_absolute, rest = path.partition(b"://")
    if path.startswith(b"/") or not is_absolute:
        return path
    return b"/" + rest.partition(b"/")[2]
