"""A file that gets its name only when it is complete and its hash is right.

Until then it is `NAME.part` in the same folder, where a later copy continues.
"""

import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

SUFFIX = ".part"
#: Bytes that are read at once.
CHUNK = 4 * 1024 * 1024


class IncompleteError(Exception):
    """The file cannot be completed; the message says why."""


class PartialFile:
    """The incomplete file beside `path`, locked against other processes; `size` is what it has."""

    def __init__(self, path: Path) -> None:
        """Opens it at its end, and creates it and its folder if they do not exist."""
        self._path = path
        self._part = path.with_name(path.name + SUFFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise IncompleteError(f"{path}: another process writes it; try again later") from error
        self._digest = hashlib.sha256()
        self.size = 0
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)

    def __enter__(self) -> Self:
        """For `with`, at whose end it is closed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Closes it. What was written stays."""
        self._file.close()

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what it has."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Empties it."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Appends to it."""
        self._file.write(chunk)
        self._count(chunk)

    def finish(self, sha256: str) -> None:
        """Gives it its name. Deletes it and raises IncompleteError if it has another hash."""
        if self.sha256 != sha256:
            self._part.unlink()
            raise IncompleteError(
                f"{self._path}: has the SHA-256 {self.sha256}, but {sha256} is expected; "
                "the copy was deleted"
            )
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._path)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a complete file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
