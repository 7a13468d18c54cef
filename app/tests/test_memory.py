"""Memory that is reserved is released, however a connection ends."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.endpoint import Endpoint
from serving.http.connection import Connection
from serving.http.memory import MemoryBudget, Reservation
from tests.http_server import make_server
from tests.test_connection import Transport
from tests.test_protocol import post


def test_memory_is_granted_while_enough_is_left() -> None:
    memory = MemoryBudget(10)
    one, other = Reservation(memory), Reservation(memory)
    assert one.reserve(6)
    assert not other.reserve(5)
    assert other.reserve(4)
    assert memory.left == 0
    one.release(2)
    one.release_all()
    one.release_all()
    other.release_all()
    assert memory.left == 10


LARGE = post(b" " * 50_000)
PARTS = {"large": LARGE, "cut": LARGE[:-1], "many": post() * 300, "invalid": b"nonsense"}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(PARTS)), max_size=6),
    st.integers(50_000, 200_000),
)
def test_a_lost_connection_releases_everything(parts: list[str], bodies: int) -> None:
    server = make_server(Endpoint("POST", bytes), body=50_000, bodies=bodies)
    whole = server.memory.left
    later: list[Callable[[], None]] = []
    server.queue.call_soon = later.append
    connections = [Connection(server), Connection(server)]
    for connection in connections:
        connection.connection_made(Transport())
        for part in parts:
            connection.data_received(PARTS[part])
        assert 0 <= server.memory.left <= whole
    for connection in connections:
        connection.connection_lost(None)
    for call in later:
        call()
    assert server.memory.left == whole
