"""Load: at full speed (wrk), or at a fixed rate (paced.py); every response is checked."""

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.wires import Row, Wire

#: The server runs on core 0, the load generator on core 1.
SERVER_CORE, LOAD_CORE = 0, 1


@dataclass(frozen=True)
class Question:
    """Rows to post in turn, and scikit-learn's prediction for each."""

    wire: Wire
    rows: list[Row]
    answers: list[float]
    #: Largest accepted relative difference.
    tolerance: float


@dataclass(frozen=True)
class Load:
    """The result of one load: counts of responses, duration and quantiles in seconds."""

    right: int
    wrong: int
    refused: int
    errors: int
    seconds: float
    p50: float
    p99: float
    #: An example of a wrong response.
    example: str = ""


def saturate(port: int, question: Question, seconds: int, connections: int) -> Load:
    """Sends requests at full speed over this many connections.

    There is one thread for each row, so that a response for the row of another connection is
    detected: each thread has one correct response.
    """
    wire = question.wire
    script = str(Path(__file__).with_name("load.lua"))
    threads = min(len(question.rows), connections)
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", f"-t{threads}", f"-c{connections}"]
    command += [f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}", "--"]
    command += [wire.path, wire.key, str(question.tolerance)]
    for row, answer in zip(question.rows, question.answers, strict=True):
        command += [wire.body(row), repr(answer)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return read_wrk(done.stderr)


def read_wrk(text: str) -> Load:
    """Parses the output of load.lua."""
    result = re.search(r"^RESULT (.*)$", text, re.MULTILINE)
    if result is None:
        raise ValueError(f"wrk gave no result: {text.strip()[:300]}")
    example = re.search(r"^EXAMPLE (.*)$", text, re.MULTILINE)
    return Load(**json.loads(result[1]), example=example[1] if example else "")


def pace(port: int, question: Question, seconds: int, connections: int, rate: float) -> Load:
    """Sends requests at a fixed rate, independent of the responses; see paced.py."""
    wire = question.wire
    plan = {
        "port": port,
        "path": wire.path,
        "key": wire.key,
        "bodies": [wire.body(row) for row in question.rows],
        "answers": question.answers,
        "tolerance": question.tolerance,
        "seconds": seconds,
        "connections": connections,
        "rate": rate,
    }
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "bench.paced"]
    folder = Path(__file__).parents[1]
    done = subprocess.run(
        command, input=json.dumps(plan), cwd=folder, check=True, capture_output=True, text=True
    )
    return Load(**json.loads(done.stdout))


def flaws(load: Load) -> str:
    """Describes wrong responses; empty if all were correct."""
    counts = {name: asdict(load)[name] for name in ("wrong", "refused", "errors")}
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if load.right == 0:
        found = found or "no response"
    return f"{found} of {load.right + load.wrong + load.refused}: {load.example}" if found else ""
