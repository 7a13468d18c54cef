"""Copies files between standard input and output and the data folder: for `ml-platform data`.

Both sides exchange lines of JSON, with the bytes of a file in between, whose number the lines say.
The receiver says how far it is, and the sender waits where it is too far ahead: the connection
itself may buffer any amount. The last line comes from the machine of the user, so that the process
does not end before all of its output has arrived.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from training.partial import CHUNK, IncompleteError, PartialFile
from training.settings import data_dir

#: Bytes that are sent before the receiver has said that it has them.
WINDOW = 4 * CHUNK
#: Seconds without a byte after which a process ends, as its connection was lost without an end. The
#: other side may need minutes to read what it has of a file.
SILENCE = 600
#: Seconds after which a container ends in which no copy runs.
IDLE = 60


class TransferError(Exception):
    """The command cannot be done; the message says why."""


@dataclass(frozen=True)
class Connection:
    """Standard input and output, or what takes their place in a test."""

    incoming: BinaryIO
    outgoing: BinaryIO

    def say(self, **line: object) -> None:
        """Writes a line."""
        self.write(json.dumps(line).encode() + b"\n")

    def write(self, chunk: bytes) -> None:
        """Writes bytes of a file."""
        signal.alarm(SILENCE)
        self.outgoing.write(chunk)
        self.outgoing.flush()
        signal.alarm(0)

    def hear(self) -> dict[str, Any]:
        """Reads a line. Raises TransferError if the connection has ended."""
        signal.alarm(SILENCE)
        line = self.incoming.readline()
        signal.alarm(0)
        if not line:
            raise TransferError("the connection has ended")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def read(self, most: int) -> bytes:
        """Reads bytes of a file: `most`, or fewer if the connection ends, but at least one."""
        signal.alarm(SILENCE)
        chunk = self.incoming.read(most)
        signal.alarm(0)
        if not chunk:
            raise TransferError("the connection has ended")
        return chunk


def put(path: Path, size: int, connection: Connection) -> None:
    """Receives a file of `size` bytes, from where an earlier copy of the same file has ended."""
    with PartialFile(path) as part:
        connection.say(offset=part.size, sha256=part.sha256)
        # The sender knows whether this is the start of its file.
        if connection.hear()["offset"] != part.size:
            part.restart()
        _require_space(path.parent, size - part.size)
        while part.size < size:
            part.write(connection.read(min(CHUNK, size - part.size)))
            connection.say(offset=part.size)
        part.finish(connection.hear()["sha256"])
    connection.say(done=True)
    connection.hear()


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise TransferError(f"the volume has {free} bytes left, and the file needs {size} more")


def get(path: Path, offset: int, sha256: str, connection: Connection) -> None:
    """Sends a file: from `offset` if what is before has this hash, otherwise from its start."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256()
        for chunk in _chunks(file, offset):
            digest.update(chunk)
        if file.tell() != offset or digest.hexdigest() != sha256:
            file.seek(0)
            digest = hashlib.sha256()
        received = file.tell()
        connection.say(offset=received, size=size)
        for chunk in _chunks(file, size - received):
            connection.write(chunk)
            digest.update(chunk)
            while file.tell() - received > WINDOW:
                received = connection.hear()["offset"]
        if file.tell() < size:
            raise TransferError(f"{path}: has become shorter during the copy; try again")
    connection.say(sha256=digest.hexdigest())
    while "done" not in connection.hear():
        pass


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` bytes of a file, or fewer if it ends."""
    left = size
    while chunk := file.read(min(CHUNK, left)):
        left -= len(chunk)
        yield chunk


def ls(folder: Path, connection: Connection) -> None:
    """Sends the names, sizes and times of change of the files and folders in a folder."""
    entries = [
        {
            "name": path.name + ("/" if path.is_dir() else ""),
            "size": path.lstat().st_size,
            "modified": path.lstat().st_mtime,
        }
        for path in sorted([folder] if folder.is_file() else folder.iterdir())
    ]
    connection.say(entries=entries)
    connection.hear()


def wait(idle: float = IDLE, interval: float = 5) -> None:
    """Returns when no other process has run in the container for `idle` seconds."""
    last = time.monotonic()
    while time.monotonic() - last < idle:
        time.sleep(interval)
        if any(_is_other_process(entry.name) for entry in Path("/proc").iterdir()):
            last = time.monotonic()


def _is_other_process(name: str) -> bool:
    return name.isdigit() and int(name) != os.getpid()


def _inside(name: str) -> Path:
    """The path of a name in the data folder. Raises TransferError if a link leads out of it."""
    folder = data_dir().resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise TransferError(f"{name}: is not in the volume")
    return path


def run(arguments: list[str], connection: Connection) -> None:
    """Runs `wait`, `put NAME SIZE`, `get NAME OFFSET SHA256` or `ls NAME`."""
    match arguments:
        case ["put", name, size]:
            put(_inside(name), int(size), connection)
        case ["get", name, offset, sha256]:
            get(_inside(name), int(offset), sha256, connection)
        case ["ls", name]:
            ls(_inside(name), connection)
        case ["wait"]:
            # The first process of a container ignores signals that it does not handle.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            wait()
        case _:
            raise TransferError(f"unknown arguments: {' '.join(arguments)}")


def main() -> int:
    """Command line entry; returns the exit code."""
    try:
        run(sys.argv[1:], Connection(sys.stdin.buffer, sys.stdout.buffer))
    except (TransferError, IncompleteError) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename or 'the volume'}: {error.strerror}")
    return 0


def _failed(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
