"""Accepts connections as they come."""

import asyncio
import socket
from collections.abc import Callable

#: Connections that wait to be accepted.
_BACKLOG = 1024

#: Accepted in a row, before those that are there are looked at again.
_AT_ONCE = 64

#: Seconds until the next try where the process or the machine has no room for one more.
_RETRY = 1.0

#: A pod is reached at its own address, which nobody knows before.
_ANYWHERE = "0.0.0.0"  # noqa: S104


class Listener:
    """A listening socket.

    The event loops' own servers accept one connection in each round, which a round of predictions
    makes long: what waits in the kernel would be a queue without a limit, and probes wait in it.
    """

    def __init__(self, port: int, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Listens, with a new `protocol` for each connection. OSError: it cannot."""
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._connecting: set[asyncio.Task[object]] = set()
        self._socket = socket.create_server((_ANYWHERE, port), backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._listen()

    async def close(self) -> None:
        """Takes those who are waiting already, and nobody after them."""
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
        """Accepts some; returns whether there may be more."""
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError:
                self._loop.remove_reader(self._socket)
                self._loop.call_later(_RETRY, self._listen)
                return False
            accepted.setblocking(False)
            connect = self._loop.connect_accepted_socket(self._protocol, accepted)
            task = self._loop.create_task(connect)
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return True
