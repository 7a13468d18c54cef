"""Accepts connections."""

import asyncio
import socket
from collections.abc import Callable

#: Backlog of connections that wait to be accepted.
_BACKLOG = 1024

#: Connections that are accepted in a row before the event loop serves the open ones again.
_BATCH = 64

#: Seconds until the next attempt if the process or machine has no free file descriptor.
_RETRY_SECONDS = 1.0

#: A pod is reached at its own address, which is not known before it starts.
_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104


class Listener:
    """A listening socket.

    The servers of the event loops accept one connection per iteration, and predictions make an
    iteration long. The backlog in the kernel would be a queue without a limit, with probes in it.
    """

    def __init__(self, port: int, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Listens, with a new `protocol` for each connection. Raises OSError if it cannot."""
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._connecting: set[asyncio.Task[object]] = set()
        self._socket = socket.create_server((_ALL_ADDRESSES, port), backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._listen()

    async def close(self) -> None:
        """Accepts the connections that wait already, and closes the socket."""
        self._loop.remove_reader(self._socket)
        while self._accept():
            pass
        self._socket.close()
        if self._connecting:
            await asyncio.wait(self._connecting)

    def _listen(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> bool:
        """Accepts a batch; returns whether more may be waiting."""
        for _ in range(_BATCH):
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError:
                self._loop.remove_reader(self._socket)
                self._loop.call_later(_RETRY_SECONDS, self._listen)
                return False
            accepted.setblocking(False)
            connect = self._loop.connect_accepted_socket(self._protocol, accepted)
            task = self._loop.create_task(connect)
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return True
