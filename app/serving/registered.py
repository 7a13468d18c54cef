"""The files of a registered version, and how large they may be."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serving.errors import ModelUnavailable, Reason

#: A model larger than this, or than 1/MEMORY_SHARE of the container's memory, is refused before it
#: is read: loading takes several times its size, for a forest fourteen times.
MAX_MODEL_BYTES = 512 * 1024 * 1024
MEMORY_SHARE = 4

#: The files with the memory limit of the container: cgroup v2, and v1.
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

#: An MLmodel file has a line for each property, and the signature.
MAX_DESCRIPTION_BYTES = 1024 * 1024

#: MLflow's own description of a model, with its signature.
DESCRIPTION_FILE = "MLmodel"


class NotFound(Exception):
    """The server responded that the resource does not exist."""


class Artifacts(Protocol):
    """The tracking server, as a store of files."""

    def download(self, location: str, file: str, limit: int) -> bytes:
        """Up to `limit` bytes of a file, or one more if there are more; raises NotFound."""
        ...

    def files(self, location: str) -> list[tuple[str, int]]:
        """The paths below a folder, with their sizes in bytes."""
        ...

    def address(self, location: str, file: str) -> str:
        """The URL of a file, for messages."""
        ...


@dataclass(frozen=True)
class RegisteredVersion:
    """The files of one registered version. Every error is ModelUnavailable."""

    registry: Artifacts
    name: str
    version: str
    #: Path of its folder among the server's artifacts.
    location: str

    def __str__(self) -> str:
        """The version in messages."""
        return f"version {self.version} of {self.name!r}"

    def read(self, file: str, limit: int | None = None) -> bytes | None:
        """The content of a file, or None if there is no such file; the limit is in bytes."""
        limit = max_model_bytes() if limit is None else limit
        try:
            content = self.registry.download(self.location, file, limit)
        except NotFound:
            return None
        if len(content) > limit:
            raise self._too_large(file, limit)
        return content

    def address(self, file: str) -> str:
        """The URL of a file, for messages."""
        return self.registry.address(self.location, file)

    def save(self, folder: Path) -> None:
        """Saves all files below a folder, which exists; their sizes are checked before."""
        files = dict(self.registry.files(self.location))
        limit = max_model_bytes()
        if sum(files.values()) > limit:
            raise self._too_large(f"the folder ({sum(files.values())} bytes)", limit)
        for path, size in files.items():
            target = folder / path
            if not target.resolve().is_relative_to(folder.resolve()):
                raise ModelUnavailable(Reason.MODEL_CORRUPT, f"{self} has a file {path!r}")
            target.parent.mkdir(parents=True, exist_ok=True)
            content = self.registry.download(self.location, path, size)
            if len(content) != size:
                raise ModelUnavailable(
                    Reason.MODEL_CORRUPT, f"{path} of {self} has not the {size} bytes listed for it"
                )
            target.write_bytes(content)

    def _too_large(self, what: str, limit: int) -> ModelUnavailable:
        message = f"{what} of {self} is larger than {limit} bytes"
        return ModelUnavailable(Reason.ARTIFACT_TOO_LARGE, message)


def max_model_bytes() -> int:
    """The largest model file that fits into the memory of this container."""
    limit = memory_limit()
    return MAX_MODEL_BYTES if limit is None else min(MAX_MODEL_BYTES, limit // MEMORY_SHARE)


def memory_limit() -> int | None:
    """The memory limit of this container in bytes; None without a limit."""
    limits = []
    for path in MEMORY_LIMITS:
        with suppress(OSError, ValueError), open(path) as file:  # noqa: PTH123 (faster than pathlib)
            limits.append(int(file.read()))
    return min(limits, default=None)
