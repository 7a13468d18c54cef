"""The requirements of the service: a tracking server with models, and its code."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns

from bench import processes, venvs
from bench.load import LOAD_CORE, Question
from bench.paths import APP, PEERS
from bench.targets import Target
from bench.venvs import Say, SetupError
from bench.wires import NOOP

#: Timeout of the start of MLflow in seconds. It takes 10 on one core, after creating its tables.
_START_TIMEOUT = 120.0

#: The response of the no-op route in peers/ours/variant.py.
_NOOP_ANSWER = 1.0


def free_ports(count: int) -> int:
    """The first of this many consecutive free ports."""
    for first in range(18100, 19000, count):
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise SetupError("no free ports between 18100 and 19000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def tracking_server(work: Path, port: int, say: Say) -> Iterator[str]:
    """Runs MLflow as in the image of the platform; yields its URL."""
    venv = venvs.ensure("mlflow", say)
    store = work / "mlflow"
    store.mkdir()
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    arguments += ["--backend-store-uri", f"sqlite:///{store}/mlflow.db"]
    arguments += ["--artifacts-destination", str(store / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (work / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), str(venv / "bin" / "mlflow"), *arguments],
            env={**os.environ, **quiet, "PATH": f"{venv}/bin:{os.environ['PATH']}"},
            cwd=store,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health", server, work / "mlflow.log")
        yield address
    finally:
        processes.stop(server)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_TIMEOUT
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (a local URL)
                return
        except OSError:
            time.sleep(0.2)
    raise SetupError(f"MLflow's tracking server did not start; see {log}")


def train(work: Path, tracking_uri: str, say: Say) -> Path:
    """Trains and registers all models; returns the folder with the files of train.py, save.py."""
    models = work / "models"
    models.mkdir()
    say("training the models")
    settings = {"PYTHONPATH": str(APP), "MLFLOW_TRACKING_URI": tracking_uri}
    _python("models", [PEERS / "train.py", models], settings, work / "train.log", say)
    save = [PEERS / "mlflow" / "save.py", models / "linear.joblib", models / "linear.mlflow"]
    _python("mlflow-serve", save, {}, work / "save.log", say)
    return models


def _python(venv: str, words: list[Path], settings: dict[str, str], log: Path, say: Say) -> None:
    with log.open("wb") as output:
        done = subprocess.run(
            [str(venvs.ensure(venv, say) / "bin" / "python"), *map(str, words)],
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise SetupError(f"{words[0].name} failed; see {log}")


def install_code(work: Path) -> Path:
    """Copies and byte-compiles the service's code as in its image; returns its folder."""
    code = work / "app"
    copytree(APP / "serving", code / "serving", ignore=ignore_patterns("__pycache__"))
    venvs.compile_code(venvs.PYTHON, code)
    return code


def question_for(target: Target, models: Path) -> Question:
    """The requests for a target, and scikit-learn's predictions."""
    known = json.loads((models / f"{target.model}.json").read_text())
    rows = known["rows"]
    answers = [_NOOP_ANSWER] * len(rows) if target.wire is NOOP else known["answers"]
    return Question(target.wire, rows, answers, known["tolerance"])
