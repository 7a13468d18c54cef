"""One server under test: starts it on its core, waits for a correct response, stops it."""

import http.client
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from types import TracebackType

from bench import processes
from bench.load import SERVER_CORE, Question
from bench.wires import is_right

#: Seconds. The slowest of the servers needs about 20 on one core.
START_TIMEOUT = 60.0

#: Interval of requests for the first response in seconds: the error of the startup time.
_TRY_EVERY = 0.005


class ServerError(Exception):
    """A server did not start or not stop; the message names it and its log."""


@dataclass(frozen=True)
class Command:
    """How a server is started."""

    name: str
    arguments: list[str]
    port: int
    environment: dict[str, str]
    folder: Path


class Server:
    """Runs during the `with` block; `seconds` is the time to its first correct response."""

    def __init__(self, command: Command, question: Question, log: Path) -> None:
        """Takes the command; nothing is started yet."""
        self._command, self._question, self._log = command, question, log
        self.port = command.port
        self.pid = 0
        self.seconds = 0.0

    def __enter__(self) -> "Server":
        """Starts it and waits for its first correct response. Raises ServerError on a timeout."""
        command = self._command
        started = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *command.arguments],
                cwd=command.folder,
                env={**_plain_environment(), **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        while not self._answers_right():
            late = time.perf_counter() - started > START_TIMEOUT
            if late or self._process.poll() is not None:
                self.stop()
                reason = f"no correct response in {START_TIMEOUT:g} s" if late else "it exited"
                raise ServerError(f"{command.name} did not start: {reason}; see {self._log}")
            time.sleep(_TRY_EVERY)
        self.seconds = time.perf_counter() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops it."""
        self.stop()

    def get(self, path: str) -> None:
        """Sends a GET request and discards the response. Raises OSError if it fails."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10).close()

    def stop(self) -> None:
        """Stops all of its processes. Raises ServerError if that fails."""
        if not processes.stop(self._process):
            raise ServerError(f"{self._command.name} (process {self.pid}) cannot be stopped")

    def _answers_right(self) -> bool:
        question, wire = self._question, self._question.wire
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", wire.path, wire.body(question.rows[0]), headers)
            response = connection.getresponse()
            body = response.read().decode()
            right = is_right(wire.answer(body), question.answers[0], question.tolerance)
            return response.status == 200 and right
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _plain_environment() -> dict[str, str]:
    # Without variables of the caller's Python or tools, which could affect a server.
    return {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
        "HOME": gettempdir(),
        "PYTHONUNBUFFERED": "1",
    }
