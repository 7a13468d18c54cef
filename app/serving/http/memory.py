"""Memory for what is received and not yet answered, limited for all connections together."""


class MemoryBudget:
    """The bytes that can still be reserved."""

    def __init__(self, size: int) -> None:
        """Takes the total number of bytes."""
        self.left = size


class Reservation:
    """What one connection has reserved."""

    def __init__(self, memory: MemoryBudget) -> None:
        """Starts with nothing reserved."""
        self._memory = memory
        self._size = 0

    def reserve(self, size: int) -> bool:
        """Reserves this many bytes; returns False if fewer are left."""
        granted = size <= self._memory.left
        if granted:
            self.release(-size)
        return granted

    def release(self, size: int) -> None:
        """Releases this many bytes."""
        self._size -= size
        self._memory.left += size

    def release_all(self) -> None:
        """Releases everything."""
        self.release(self._size)
