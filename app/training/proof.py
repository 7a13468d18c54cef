"""Compares a graph with its estimator, row by row."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from onnx import ModelProto
from sklearn.base import BaseEstimator, is_classifier

from training.convert import classes_of, feed, session_of
from training.faster import ConversionError
from training.memory import peak_of
from training.rows import FloatArray, Table

#: Largest accepted difference between two numbers, relative to the estimator's.
MAX_RELATIVE_DIFFERENCE = 1e-6

#: A prediction near zero is a small difference of large terms, so its rounding error is as large as
#: theirs: below this share of the largest prediction the difference is relative to that share. With
#: the bound above it is 1e-12 of the largest, some five thousand times the last digit of float64.
_FLOOR = 1e-6

#: A probability is often computed as the complement of others in float32, where the last digit of 1
#: is 6e-8: below this the difference is relative to this, so it is 1e-7 at most.
_FLOOR_OF_PROBABILITIES = 0.1

#: So many rows are also compared one by one.
_SINGLE_ROWS = 1000

#: The largest request has so many rows by default (MAX_BATCH_ROWS of the service). A graph of
#: distances to all training rows, or of the words of a text, takes memory for each of them. The
#: limit is in bytes: an eighth of the memory that the pod of a model has by default.
_REQUEST_ROWS = 1000
_REQUEST_MEMORY = 64 * 2**20


@dataclass(frozen=True)
class Answers:
    """What an estimator predicts for rows."""

    rows: Table
    predictions: npt.NDArray[Any]
    #: None for estimators without, and for several outputs.
    probabilities: FloatArray | None
    #: The size of the largest prediction for rows that are not made up; None for labels.
    largest: float | None

    def take(self, places: npt.NDArray[np.int64]) -> "Answers":
        """Those for some of the rows."""
        rows = self.rows.iloc[places] if isinstance(self.rows, pd.DataFrame) else self.rows[places]
        shares = None if self.probabilities is None else self.probabilities[places]
        return Answers(rows, self.predictions[places], shares, self.largest)


def answers_of(estimator: BaseEstimator, rows: Table, real: Table) -> Answers:
    """Predicts `rows`; those with a prediction that is not finite are left out.

    Raises ConversionError if a prediction for the rows of `real` is not finite.
    """
    predictions = np.asarray(estimator.predict(rows))
    largest = None
    if not is_classifier(estimator):
        largest = float(np.max(np.abs(np.asarray(estimator.predict(real)))))
        if not np.isfinite(largest):
            raise ConversionError("the estimator's predictions are not finite")
        finite = np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1)
        rows, predictions = rows[finite], predictions[finite]
    shares = None if classes_of(estimator) is None else np.asarray(estimator.predict_proba(rows))
    return Answers(rows, predictions, shares, largest)


def compare(expected: Answers, model: ModelProto) -> float:
    """The largest relative difference between a graph's answers and an estimator's.

    Some rows are also computed alone, as operators compute one row in other ways than many. Raises
    ConversionError if the bound is exceeded, if a label, its type, or the number of answers
    differs, and if the graph takes too much memory. Labels without probabilities differ by 0.
    """
    session = session_of(model)
    inputs = feed(session, expected.rows)
    together = _difference(expected, session.run(None, inputs))
    count = len(expected.rows)
    places = np.unique(np.linspace(0, count - 1, _SINGLE_ROWS).astype(int))
    alone = [
        session.run(None, {name: values[place : place + 1] for name, values in inputs.items()})
        for place in places.tolist()
    ]
    outputs = [np.concatenate(same) for same in zip(*alone, strict=True)]
    difference = max(together, _difference(expected.take(places), outputs))
    _check_memory(model, inputs)
    return difference


def _check_memory(model: ModelProto, inputs: dict[str, npt.NDArray[Any]]) -> None:
    """Raises ConversionError for a graph whose largest request takes too much memory."""
    session = session_of(model)  # a session keeps the memory of its largest request
    request = {name: np.resize(it, (_REQUEST_ROWS, *it.shape[1:])) for name, it in inputs.items()}
    taken = peak_of(lambda: session.run(None, request))
    if taken > _REQUEST_MEMORY:
        raise ConversionError(
            f"takes {taken // 2**20:,} MiB of memory for {_REQUEST_ROWS:,} rows; "
            f"{_REQUEST_MEMORY // 2**20} MiB are allowed"
        )


def _difference(expected: Answers, outputs: list[npt.NDArray[Any]]) -> float:
    if expected.largest is not None:
        floor = _FLOOR * expected.largest
        return _bounded("predictions", expected.predictions, outputs[0], floor)
    # Compared as JSON, in which false, 0 and 0.0 are different.
    pairs = zip(expected.predictions.tolist(), outputs[0].tolist(), strict=True)
    wrong = sum(json.dumps(own) != json.dumps(other) for own, other in pairs)
    if wrong:
        raise ConversionError(f"{wrong:,} of {len(expected.rows):,} labels differ")
    if expected.probabilities is None:
        return 0.0
    return _bounded("probabilities", expected.probabilities, outputs[1], _FLOOR_OF_PROBABILITIES)


def verify(estimator: BaseEstimator, model: ModelProto, features: Table) -> float:
    """Compares both on these rows, as `compare` does."""
    return compare(answers_of(estimator, features, features), model)


def _bounded(
    what: str, expected: npt.NDArray[Any], actual: npt.NDArray[Any], floor: float
) -> float:
    if actual.size != expected.size:
        raise ConversionError(f"{actual.size:,} answers for {expected.size:,} values")
    numbers = expected.astype(np.float64).reshape(-1)
    least = max(floor, float(np.finfo(np.float64).tiny))  # all may be zero
    with np.errstate(all="ignore"):  # overflows are refused as NaN or infinity
        errors = np.abs(actual.astype(np.float64).reshape(-1) - numbers)
        differences = errors / np.maximum(np.abs(numbers), least)
    wrong = int(np.sum(~(differences <= MAX_RELATIVE_DIFFERENCE)))
    if wrong:
        raise ConversionError(
            f"{wrong:,} of {numbers.size:,} {what} differ, by up to {np.max(differences):.3g} "
            f"(relative); {MAX_RELATIVE_DIFFERENCE:g} is allowed"
        )
    return float(np.max(differences))
