"""A client that posts at a fixed rate: JSON plan on standard input, JSON result on standard output.

Existing tools either cannot check responses, or send with all workers at the same time, so that
requests come in bursts. This client sends at regular intervals and checks each response.
If all connections wait for the server, latency is measured from the planned time of a request, so
that a stall also counts for requests that could not be sent (coordinated omission). Delays of the
client are not those of the server: on an idle connection, latency is measured from sending, and
requests that were planned while the client was not running are planned that much later.
"""

import json
import re
import select
import socket
import statistics
import sys
from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from bench.wires import Wire, is_right

#: Timeout of a response.
TIMEOUT = 10.0

#: Seconds. An iteration takes less than a fifth of this; in a longer one the client did not run.
_PAUSE = 0.001

#: Maximum number of cached correct responses for each row; `Date` changes every second.
_MOST_SEEN = 1000


class Connection:
    """One connection, with at most one request in progress."""

    def __init__(self, port: int, epoll: select.epoll) -> None:
        """Takes the address; the first request connects."""
        self._port = port
        self._epoll = epoll
        self._socket: socket.socket | None = None
        self.due = 0.0
        self.which = 0
        self._received = b""

    @property
    def descriptor(self) -> int:
        """The file descriptor of the socket, or -1 if there is none."""
        return self._socket.fileno() if self._socket else -1

    def send(self, request: bytes, due: float, which: int) -> int:
        """Sends a request, over a new connection if there is none; returns its descriptor."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._epoll.register(self._socket, select.EPOLLIN)
        self.due, self.which, self._received = due, which, b""
        self._socket.sendall(request)
        return self.descriptor

    def receive(self) -> bytes:
        """Receives data and returns the whole response so far. Raises ConnectionError."""
        if self._socket is None:
            raise ConnectionError("not connected")
        chunk = self._socket.recv(65536)
        self._received = self._received + chunk if self._received else chunk
        if not chunk:
            self.close()
            if not self._received:
                raise ConnectionError("closed without a response")
        return self._received

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        if self._socket is not None:
            self._epoll.unregister(self._socket)
            self._socket.close()
            self._socket = None


@dataclass(frozen=True)
class Answer:
    """One complete response."""

    status: int
    keeps_alive: bool
    body: str


def read_answer(raw: bytes, ended: bool) -> Answer | None:
    """Parses a response; None if it is incomplete. `ended`: the connection is closed.

    Raises ValueError for an incomplete response on a closed connection, and for more than one.
    """
    head, end, body = raw.partition(b"\r\n\r\n")
    headers = head.lower()
    length = re.search(rb"\r\ncontent-length: *(\d+)", headers)
    missing = int(length[1]) - len(body) if end and length else 0
    if not end or missing > 0 or (not length and not ended):
        if ended:
            raise ValueError("closed before the response was complete")
        return None
    if missing < 0:
        raise ValueError("more than one response to one request")
    closes = ended or b"\r\nconnection: close" in headers or headers.startswith(b"http/1.0")
    return Answer(int(head[9:12]), not closes, body.decode())


class Run:
    """One run of a plan: planned requests, requests in progress, and results."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Prepares the requests; nothing is sent yet."""
        self._plan = plan
        self._wire = Wire(plan["path"], lambda row: row, plan["key"])
        head = (
            f"POST {plan['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        )
        self._requests = [
            f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in plan["bodies"]
        ]
        self._epoll = select.epoll()
        count = plan["connections"]
        self._idle = deque(Connection(plan["port"], self._epoll) for _ in range(count))
        self._busy: dict[int, Connection] = {}
        self._seen: list[set[bytes]] = [set() for _ in self._requests]
        self._latencies: list[float] = []
        self._counts = {"right": 0, "wrong": 0, "refused": 0, "errors": 0}
        self._example = ""

    def measure(self) -> dict[str, Any]:
        """Sends the planned requests and waits for the last response."""
        interval = 1 / self._plan["rate"]
        total = int(self._plan["seconds"] * self._plan["rate"])
        began = start = last = perf_counter()
        sent = 0
        starved = False
        while sent < total or self._busy:
            now = perf_counter()
            if now - last > _PAUSE:
                start += now - last
            last = now
            while sent < total and self._idle and now >= start + sent * interval:
                due = start + sent * interval if starved else perf_counter()
                self._send(due, sent % len(self._requests))
                sent += 1
            starved = not self._idle and now >= start + sent * interval
            events = self._epoll.poll(0)
            for descriptor, _ in events:
                self._receive(descriptor)
            if not events:
                self._drop_late(now)
        return self._result(perf_counter() - began)

    def _send(self, due: float, which: int) -> None:
        connection = self._idle.popleft()
        try:
            self._busy[connection.send(self._requests[which], due, which)] = connection
        except OSError as error:
            self._fail(connection, error)

    def _receive(self, descriptor: int) -> None:
        connection = self._busy.get(descriptor)
        if connection is None:  # the server closed an idle connection
            next(idle for idle in self._idle if idle.descriptor == descriptor).close()
            return
        try:
            raw = connection.receive()
            # A response that was correct once is not parsed again: this client must be faster than
            # the server.
            right = self._seen[connection.which]
            if raw not in right:
                answer = read_answer(raw, ended=connection.descriptor < 0)
                if answer is None:
                    return
                if not self._check(connection.which, answer):
                    connection.close()
                elif answer.keeps_alive and len(right) < _MOST_SEEN:
                    right.add(raw)
                elif not answer.keeps_alive:
                    connection.close()
            else:
                self._counts["right"] += 1
        except (OSError, ValueError) as error:
            del self._busy[descriptor]
            self._fail(connection, error)
            return
        self._latencies.append(perf_counter() - connection.due)
        del self._busy[descriptor]
        self._idle.append(connection)

    def _check(self, which: int, answer: Answer) -> bool:
        plan = self._plan
        number = self._wire.answer(answer.body)
        right = is_right(number, plan["answers"][which], plan["tolerance"])
        kind = "refused" if answer.status != 200 else "right" if right else "wrong"
        self._counts[kind] += 1
        if kind != "right":
            self._example = f"{answer.status} {answer.body[:200]}"
        return kind == "right"

    def _drop_late(self, now: float) -> None:
        if self._busy and now - next(iter(self._busy.values())).due > TIMEOUT:
            descriptor = next(iter(self._busy))
            self._fail(self._busy.pop(descriptor), TimeoutError(f"no response in {TIMEOUT:g} s"))

    def _fail(self, connection: Connection, error: Exception) -> None:
        connection.close()
        self._idle.append(connection)
        self._counts["errors"] += 1
        self._example = str(error)

    def _result(self, seconds: float) -> dict[str, Any]:
        cuts = statistics.quantiles(self._latencies or [0.0, 0.0], n=100, method="inclusive")
        quantiles = {"seconds": seconds, "p50": cuts[49], "p99": cuts[98]}
        return {**self._counts, **quantiles, "example": self._example}


if __name__ == "__main__":
    print(json.dumps(Run(json.load(sys.stdin)).measure()))
