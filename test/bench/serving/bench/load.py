"""Load: as much as a server takes (wrk), or at a fixed rate (paced.py); every answer is checked."""

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.wires import Row, Wire

#: The server has core 0 to itself, and what asks it core 1.
SERVER_CORE, LOAD_CORE = 0, 1


@dataclass(frozen=True)
class Question:
    """Rows to post in turn, and scikit-learn's answer to each."""

    wire: Wire
    rows: list[Row]
    answers: list[float]
    #: Largest relative difference to those that still is right.
    tolerance: float


@dataclass(frozen=True)
class Load:
    """What one load found: counts of answers, seconds it lasted, and quantiles in seconds."""

    right: int
    wrong: int
    refused: int
    errors: int
    seconds: float
    p50: float
    p99: float
    #: One answer that was not right, to look at.
    example: str = ""


def saturate(port: int, question: Question, seconds: int, connections: int) -> Load:
    """Asks as fast as the server answers over so many connections.

    There is one thread for each row, so that an answer that went to another connection's row is
    found: each thread knows the only right one.
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
    """Reads what load.lua wrote."""
    result = re.search(r"^RESULT (.*)$", text, re.MULTILINE)
    if result is None:
        raise ValueError(f"wrk gave no result: {text.strip()[:300]}")
    example = re.search(r"^EXAMPLE (.*)$", text, re.MULTILINE)
    return Load(**json.loads(result[1]), example=example[1] if example else "")


def pace(port: int, question: Question, seconds: int, connections: int, rate: float) -> Load:
    """Asks at a fixed rate, whatever the answers take; see paced.py."""
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
    """Says what was not right with the answers; empty where all were."""
    counts = {name: asdict(load)[name] for name in ("wrong", "refused", "errors")}
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if load.right == 0:
        found = found or "no answer"
    return f"{found} of {load.right + load.wrong + load.refused}: {load.example}" if found else ""
