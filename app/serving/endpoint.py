"""The interface between the HTTP server and the models: handlers and their errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: From a complete request body to a complete response body: synchronous, without I/O.
Handler = Callable[[bytes], bytes]

INVALID_INPUT = b'{"error":"Invalid input"}'


class InvalidInput(Exception):
    """The body is not valid input for the endpoint: a 400.

    `reason` is a code for programs, such as `feature_count`. It is sent in a header, because the
    response body is a fixed contract. Neither contains any of the input.
    """

    def __init__(self, reason: str, body: bytes = INVALID_INPUT) -> None:
        """Keeps the reason and the response body."""
        super().__init__(reason)
        self.reason = reason
        self.body = body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of one path. A GET endpoint gets no body, and also serves HEAD."""

    method: str
    handle: Handler
    content_type: str = "application/json"
    #: A prediction: it is queued, counted and timed.
    counted: bool = False
    #: It may take longer than a millisecond, so it runs in a thread of its own.
    slow: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model with its registered name and version, and its endpoints by exact path."""

    name: str
    version: str
    endpoints: Mapping[str, Endpoint]
    #: How it is served, and why not faster: see serving/models/model.py.
    served_as: str = "onnx"
    why: str | None = None
    library_differences: int = 0
