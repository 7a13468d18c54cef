"""Makes a faster form of an estimator, in a process of its own with a time limit.

The converter can run for ever, and a library in C cannot be interrupted in any other way.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cloudpickle
from sklearn.base import BaseEstimator

from training.rows import Table

#: Seconds in which a faster form must be made and proved.
LIMIT = 60.0

#: A faster form may have this many times the bytes of the estimator, and always a megabyte.
_MAX_GROWTH = 4
_ALWAYS_ALLOWED = 1_000_000


@dataclass(frozen=True)
class Faster:
    """An ONNX graph that gives the estimator's answers."""

    onnx: bytes
    #: One line: what was compared, and the largest difference.
    proof: str
    difference: float
    #: The coefficients as JSON, of a linear model: see training/linear.py.
    linear: str | None


class ConversionError(Exception):
    """There is no graph that gives the estimator's answers; the message says why, in one line."""


def faster_form(estimator: BaseEstimator, rows: Table, limit: float = LIMIT) -> Faster:
    """Converts an estimator, and compares both on `rows` and on rows that are made of them.

    Raises ConversionError if this is impossible, takes longer than `limit` seconds, or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given"), Path(folder, "made")
        # By value for classes of a script or notebook, which the other process cannot import.
        given.write_bytes(cloudpickle.dumps((estimator, rows)))
        code = _run([str(given), str(made)], limit)
        if code is None:
            raise ConversionError(
                f"the conversion to ONNX and its proof take more than {limit:g} s"
            )
        if not made.exists():
            raise ConversionError(f"the conversion to ONNX ended with exit code {code}")
        result: Faster | str = pickle.loads(made.read_bytes())  # noqa: S301 (of our own process)
    if isinstance(result, str):
        raise ConversionError(result)
    return result


def _run(arguments: list[str], limit: float) -> int | None:
    """Runs `main` in another process; returns its exit code, or None if it took too long.

    Then it is ended, with all processes that it has started.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", "from training.faster import main; main()", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def make(estimator: BaseEstimator, rows: Table) -> Faster:
    """Does the work of `faster_form` in this process."""
    # Imported by the other process alone: they take a second.
    from onnx import ModelProto

    from training import linear
    from training.convert import convert
    from training.probe import probe
    from training.proof import answers_of, compare

    allowed = max(_ALWAYS_ALLOWED, _MAX_GROWTH * len(cloudpickle.dumps(estimator)))
    probed = cache(lambda: probe(estimator, rows))  # not for what cannot be converted
    expected = cache(lambda: answers_of(estimator, probed().rows, rows))
    differences = []

    def check(model: ModelProto) -> None:
        if model.ByteSize() > allowed:
            raise ConversionError(f"has {model.ByteSize():,} bytes, more than {allowed:,}")
        differences.append(compare(expected(), model))

    model = convert(estimator, rows, check)
    proof = f"compared on {probed().text}; the largest difference is {differences[-1]:.2g}"
    note = linear.note(estimator, model, expected().rows)
    return Faster(model.SerializeToString(), proof, differences[-1], note)


def main() -> None:
    """Entry of the other process: writes a Faster, or the text of the reason why there is none."""
    given, made = map(Path, sys.argv[1:])
    warnings.simplefilter("ignore")
    result: Faster | str
    try:
        result = make(*pickle.loads(given.read_bytes()))  # noqa: S301 (of our own process)
    except Exception as error:  # of any library: the model is served without
        problem = str(error) if isinstance(error, ConversionError) else repr(error)
        result = " ".join(problem.split())
    made.write_bytes(pickle.dumps(result))
