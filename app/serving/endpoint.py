"""The seam between the HTTP server and the models: what answers, and how it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: A whole request body to a whole answer body: synchronous, and nothing but computing.
Handler = Callable[[bytes], bytes]

INVALID_INPUT = b'{"error":"Invalid input"}'


class InvalidInput(Exception):
    """The body is not what the endpoint asks for: a 400.

    `reason` is a short word for programs, such as `feature_count`; it goes into a header, for the
    answer's body is a frozen contract. Neither holds anything of the input.
    """

    def __init__(self, reason: str, body: bytes = INVALID_INPUT) -> None:
        """Keeps the reason, and the answer's body."""
        super().__init__(reason)
        self.reason = reason
        self.body = body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one path answers. A GET endpoint is given no body, and answers HEAD as well."""

    method: str
    handle: Handler
    content_type: str = "application/json"
    #: A prediction: it waits its turn, is counted, and is timed.
    counted: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Served:
    """A loaded model under its registered name and version, with its endpoints by exact path."""

    name: str
    version: str
    endpoints: Mapping[str, Endpoint]
