"""Memory for what is received and not answered yet, bounded for all connections together."""


class Memory:
    """How many bytes are left to be set aside."""

    def __init__(self, size: int) -> None:
        """Takes how many there are."""
        self.left = size


class Share:
    """What one connection has set aside."""

    def __init__(self, memory: Memory) -> None:
        """Has nothing yet."""
        self._memory = memory
        self._size = 0

    def reserve(self, size: int) -> bool:
        """Sets so many bytes aside; False where there are fewer left."""
        granted = size <= self._memory.left
        if granted:
            self.release(-size)
        return granted

    def release(self, size: int) -> None:
        """Gives so many bytes back."""
        self._size -= size
        self._memory.left += size

    def release_all(self) -> None:
        """Gives everything back."""
        self.release(self._size)
