"""Decides whether a new version gets the alias. Pure functions: no input, output or logging."""

import json
import math
from dataclasses import dataclass
from pathlib import PurePosixPath

_EXAMPLE = '{"metric": "r2", "minimum": 0.8, "betterThan": "champion", "data": "holdout.csv"}'


class GateError(Exception):
    """The gate is invalid; the message names the key, and says what is expected."""


@dataclass(frozen=True)
class Gate:
    """The variable GATE: the metric, of which more is better, and what it is compared with."""

    metric: str
    minimum: float | None = None
    #: Alias of the version to compare with.
    better_than: str | None = None
    #: Path in the data volume.
    data: str | None = None
    #: Column of `data` with the values to predict.
    target: str | None = None


@dataclass(frozen=True)
class Score:
    """The metric of one model; without a value, the reason."""

    value: float | None
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether the alias moves, and why."""

    passed: bool
    reason: str


def parse(text: str) -> Gate:
    """Reads the JSON of GATE; raises GateError."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise GateError(f"is not JSON: {error}; example: {_EXAMPLE}") from error
    if not isinstance(values, dict):
        raise GateError(f"is not a JSON object; example: {_EXAMPLE}")
    keys = {"metric", "minimum", "betterThan", "data", "target"}
    for key in values.keys() - keys:
        raise GateError(f"has the unknown key {key!r}; its keys are {', '.join(sorted(keys))}")
    minimum, better_than = _number(values, "minimum"), _text(values, "betterThan")
    metric, data = _text(values, "metric"), _text(values, "data")
    if metric is None:
        raise GateError(f"has no metric; example: {_EXAMPLE}")
    if minimum is None and better_than is None:
        raise GateError("has neither minimum nor betterThan; set one, or both")
    if data and (PurePosixPath(data).is_absolute() or ".." in PurePosixPath(data).parts):
        raise GateError(f"data is {data!r}, which is not a path in the data volume")
    return Gate(metric, minimum, better_than, data, _text(values, "target"))


def _text(values: dict[str, object], key: str) -> str | None:
    value = values.get(key)
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise GateError(f"{key} is {json.dumps(value)[:40]}, which is not a text")


def _number(values: dict[str, object], key: str) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise GateError(f"{key} is {json.dumps(value)[:40]}, which is not a finite number")


def decide(gate: Gate, score: Score, rival: Score | None = None) -> Verdict:
    """Compares a model with the minimum and, if there is one, with the version of the alias.

    A model passes if its metric is at least the minimum, and more than that of the other version.
    What is not a finite number never passes. Neither does a model if the other version cannot be
    measured: a person decides then.
    """
    failed = _failure(gate, score, rival)
    if failed:
        return Verdict(False, failed)
    reasons = [] if gate.minimum is None else [f"at least {gate.minimum}"]
    if rival is not None:
        reasons.append(f"better than {rival.value} of {gate.better_than}")
    elif gate.better_than is not None:
        reasons.append(f"no version has the alias {gate.better_than}")
    return Verdict(True, f"{gate.metric} is {score.value}: {', '.join(reasons)}")


def _failure(gate: Gate, score: Score, rival: Score | None) -> str | None:
    value, other = _finite(score), _finite(rival)
    if value is None:
        return f"{gate.metric} is {score.problem or score.value}"
    if gate.minimum is not None and value < gate.minimum:
        return f"{gate.metric} is {value}: less than {gate.minimum}"
    if rival is None:
        return None
    if other is None:
        return (
            f"{gate.metric} of {gate.better_than} is {rival.problem or rival.value}, so that "
            "nothing can be compared; set the alias yourself, or remove betterThan"
        )
    if value <= other:
        return f"{gate.metric} is {value}: not better than {other} of {gate.better_than}"
    return None


def _finite(score: Score | None) -> float | None:
    value = None if score is None else score.value
    return value if value is not None and math.isfinite(value) else None
