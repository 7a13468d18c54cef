"""One connection: responses are sent in the order of the requests."""

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, cast

import httptools

from serving.http import responses
from serving.http.memory import Reservation
from serving.http.pending import TIME_SLICE, PendingRequest
from serving.http.request import Request
from serving.http.responses import StaticResponse

if TYPE_CHECKING:
    from serving.http.server import Server

_NEVER = float("inf")
_NOTHING = memoryview(b"")

#: Bytes that are parsed at a time. After each chunk the connection checks whether the client reads
#: its responses, and whether other connections are waiting.
_CHUNK = 4096


class Connection(asyncio.Protocol):
    """Feeds the parser, submits one request after the other, and writes the responses."""

    def __init__(self, server: "Server") -> None:
        """Takes the server that accepted the connection."""
        self._server = server
        self._memory = Reservation(server.memory)
        self._request = Request(server.limits, self._complete, self._continue, self._memory.reserve)
        #: Received bytes that are parsed only when there is room for the requests in them.
        self._unparsed, self._reserved = _NOTHING, 0
        #: A request is in the server's queue; the pipelined requests after it wait here.
        self._in_queue = False
        self._pipelined: deque[PendingRequest] = deque()
        #: The error response that closes the connection after the responses to earlier requests.
        self._refusal: StaticResponse | None = None
        self._reading = True
        self._paused = self._discarding = self._half_closed = self._answered = False
        #: Size of the write buffer at the last check.
        self._unsent = 0
        #: When the server closes this connection.
        self.deadline = _NEVER
        #: Above the limit of connections: probes are served, predictions get a 503.
        self.probes_only = False
        #: Nothing more is parsed or written.
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Registers the connection, or refuses it if there are far too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.deadline = self._server.now + self._server.limits.head_seconds
        if not self._server.admit(self):
            self.refuse(responses.OVERLOADED)

    def connection_lost(self, _: Exception | None) -> None:
        """Drops everything that was in progress."""
        self.closed = True
        self._pipelined.clear()
        self._unparsed, self._reserved = _NOTHING, 0
        self._memory.release_all()
        self._server.remove(self)

    def data_received(self, data: bytes) -> None:
        """Parses what was received; its requests are in progress or done when this returns."""
        if self.closed or self._discarding:
            return
        if len(data) <= _CHUNK:
            self._feed(data)
        else:
            self._unparsed = memoryview(data)
            self._feed_unparsed()

    def eof_received(self) -> bool:
        """Keeps the sending side open until all responses are sent."""
        self._half_closed = True
        return bool(self._in_queue or self._pipelined or self._unparsed)

    def pause_writing(self) -> None:
        """Writes nothing more until the client has read what was written."""
        self._paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._server.now + self._server.limits.write_seconds

    def resume_writing(self) -> None:
        """Continues once the write buffer is empty."""
        self._paused = False
        self._unsent = self._transport.get_write_buffer_size()
        self._request.timing = False
        self._start_timeout()
        if not self._in_queue:
            self.resume()

    def is_kept_alive(self) -> bool:
        """Whether it has had a response and is idle now."""
        return self._answered and self._is_idle()

    def expire(self) -> None:
        """Closes the connection of a client that is silent, or sends or reads too slowly."""
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent = unsent
            self.deadline = self._server.now + self._server.limits.write_seconds
        elif self._request.in_progress and not self.closed and not self._discarding:
            self.refuse(responses.TIMED_OUT)
        else:
            self.closed = True
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Closes the connection if no request is in progress."""
        if self._is_idle():
            self.closed = True
            self._transport.close()

    def answer(self, pending: PendingRequest, head: bytes, body: bytes) -> None:
        """Writes the response to the oldest open request."""
        if pending.reserved:
            self._memory.release(pending.reserved)
        self._answered = True
        ending = self._server.stopping or self._half_closed
        closing = ending and not (self._pipelined or self._unparsed)
        if pending.keep_alive and not closing:
            self._write(head, body, pending.omit_body)
        else:
            self.closed = True
            self._write(head + responses.CLOSE, body, pending.omit_body)
            self._transport.close()

    def resume(self) -> None:
        """Submits the next request, once the one before it has its response."""
        self._in_queue = False
        if self._reading and not self._pipelined and self._is_idle():
            self.deadline = self._server.now + self._server.limits.idle_seconds
            return
        while self._pipelined and not (self._in_queue or self._paused or self.closed):
            self._in_queue = not self._server.queue.submit(self._pipelined.popleft())
        if self._in_queue or self._paused or self.closed:
            return
        if self._refusal is not None:
            self._close_lingering(self._refusal)
        elif self._unparsed:
            self._feed_unparsed()
        elif self._is_idle():
            self.deadline = self._server.now + self._server.limits.idle_seconds
        self._update_reading()

    def refuse(self, answer: StaticResponse) -> None:
        """Sends an error after the responses to earlier requests, and reads no more requests."""
        self._server.count_refused(answer.status)
        self._discarding = True
        self._refusal = answer
        if not (self._in_queue or self._pipelined):
            self._close_lingering(answer)

    def _is_idle(self) -> bool:
        pending = self._in_queue or self._request.in_progress or self._pipelined or self._unparsed
        return not (pending or self._paused or self._discarding or self.closed)

    def _feed(self, data: bytes | memoryview) -> None:
        request = self._request
        try:
            request.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # A server may ignore Upgrade (RFC 9110, 7.8), but the parser stops at it.
            self._feed(request.restart_without_upgrade() + data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.refuse(request.refusal or responses.BAD_REQUEST)
            return
        if request.in_progress:
            request.received += len(data)
            if request.is_oversized():
                self.refuse(responses.HEAD_TOO_LARGE)
            self._start_timeout()
        if self._pipelined or self._paused:
            self._update_reading()

    def _feed_unparsed(self) -> None:
        """Parses buffered bytes, as long as there is room, and for at most one time slice."""
        end = perf_counter() + TIME_SLICE
        while self._unparsed and not (self._discarding or self.closed or self._is_full()):
            chunk, self._unparsed = self._unparsed[:_CHUNK], self._unparsed[_CHUNK:]
            self._feed(chunk)
            if self._unparsed and perf_counter() > end:
                self._server.queue.call_soon(self._feed_unparsed)
                break
        if self._discarding or self.closed:
            self._unparsed = _NOTHING
        if not self._memory.reserve(len(self._unparsed) - self._reserved):
            self._unparsed = _NOTHING
            self._memory.release(self._reserved)
            self.refuse(responses.OVERLOADED)
        self._reserved = len(self._unparsed)
        self._update_reading()

    def _is_full(self) -> bool:
        return self._paused or len(self._pipelined) >= self._server.limits.pipeline

    def _update_reading(self) -> None:
        reads = self._discarding or not (self._unparsed or self._is_full())
        if reads != self._reading and not self._transport.is_closing():
            self._reading = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()

    def _complete(self) -> None:
        if not self._paused:
            self.deadline = _NEVER
        pending = self._server.pending_request(self, self._request)
        if self._in_queue or self._pipelined or self._paused:
            self._pipelined.append(pending)
        elif self._server.queue.submit(pending):
            if not self._paused:
                self.deadline = self._server.now + self._server.limits.idle_seconds
        else:
            self._in_queue = True

    def _continue(self) -> None:
        if not (self._in_queue or self._pipelined):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _start_timeout(self) -> None:
        request, limits = self._request, self._server.limits
        if request.in_progress and not (request.timing or self._paused or self._discarding):
            request.timing = True
            seconds = limits.head_seconds if request.in_head else limits.body_seconds
            self.deadline = self._server.now + seconds

    def _close_lingering(self, answer: StaticResponse) -> None:
        """Writes a response and half-closes (a lingering close).

        The client may still be sending. Closing at once would reset the connection before the
        client has read the response, so further input is discarded for a second.
        """
        self.closed = True
        self.deadline = self._server.now + 1
        self._write(answer.head + responses.CLOSE, answer.body)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._update_reading()

    def _write(self, head: bytes, body: bytes, omit_body: bool = False) -> None:
        self._transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b"
            % (head, self._server.header_lines, len(body), b"" if omit_body else body)
        )
