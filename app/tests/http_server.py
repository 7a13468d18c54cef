"""The HTTP server alone, on the event loop of the service, with limits of the test."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from serving.endpoint import Endpoint
from serving.http.limits import Limits
from serving.http.route import Route
from serving.http.server import Server
from tests.support import free_port

MIB = 1024 * 1024


def slow(seconds: float, answer: bytes = b"{}") -> Endpoint:
    def handle(_: bytes) -> bytes:
        time.sleep(seconds)
        return answer

    return Endpoint("POST", handle, counted=True)


def make_server(endpoint: Endpoint, **limits: float) -> Server:
    def ignore(_: int, __: float) -> None:
        pass

    def fail(error: Exception, _: str) -> None:
        raise error

    alive = Endpoint("GET", lambda _: b"alive")
    routes = {b"/predict": Route.of(endpoint, ignore), b"/healthz": Route.of(alive, ignore)}
    return Server(routes, Limits(**limits), ignore, fail)  # type: ignore[arg-type]


@contextmanager
def running(endpoint: Endpoint, **limits: float) -> Iterator[int]:
    """Serves in a thread; yields the port."""
    port, started, ends = free_port(), threading.Event(), []

    async def main() -> None:
        stop = asyncio.Event()
        ends.append((asyncio.get_running_loop(), stop))
        await make_server(endpoint, **limits).run(port, stop, started.set)

    thread = threading.Thread(target=lambda: uvloop.run(main()))
    thread.start()
    assert started.wait(5)
    try:
        yield port
    finally:
        [(loop, stop)] = ends
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()


def resident(process: Path) -> int:
    """Resident memory in KiB of the process of a folder in /proc."""
    return int((process / "status").read_text().partition("VmRSS:")[2].split()[0])


def client_of(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_to_end(client: socket.socket) -> int:
    total = 0
    try:
        while part := client.recv(MIB):
            total += len(part)
    except ConnectionResetError:
        pass
    return total
