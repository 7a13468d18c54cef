"""The route of a path, with the bytes of its responses that can be computed in advance."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from serving.endpoint import Endpoint, Handler
from serving.http import responses
from serving.http.responses import StaticResponse

#: Called for every response: its status, and the seconds from the complete request to it.
Record = Callable[[int, float], None]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint, and the heads of its responses."""

    method: str
    handle: Handler
    #: The head of a 200.
    head: bytes
    #: The request is queued; all others are answered at once.
    queued: bool
    record: Record
    #: The response to every request, instead of calling `handle`.
    fixed: StaticResponse | None = None
    #: It is handled in a thread of its own.
    slow: bool = False

    @staticmethod
    def of(endpoint: Endpoint, record: Record) -> "Route":
        """Encodes the head."""
        head = responses.head(200, endpoint.content_type, endpoint.headers)
        queued, slow = endpoint.counted, endpoint.slow
        return Route(endpoint.method, endpoint.handle, head, queued, record, slow=slow)

    def other_method(self, method: str) -> StaticResponse | None:
        """The response to another method: a 405, except for HEAD on a GET route."""
        if method == "HEAD" and self.method == "GET":
            return self.fixed
        return responses.not_allowed(self.method)


def request_id(sent: bytes) -> str:
    """The request id of the client if it is safe to log, or a new one."""
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else token_hex(8)


def path_of(target: bytes) -> bytes:
    """The path of a request target; proxies may send the absolute form (RFC 9112, 3.2.2)."""
    path = target.partition(b"?")[0]
    _, is_absolute, rest = path.partition(b"://")
    if path.startswith(b"/") or not is_absolute:
        return path
    return b"/" + rest.partition(b"/")[2]
