"""What a model of any library predicts, as one entry of JSON for each row."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from serving.models.model import Answer, Output
from serving.models.signature import Kind

#: numpy's type codes of predictions.
_KINDS = {"f": Kind.NUMBER, "i": Kind.INTEGER, "u": Kind.INTEGER, "b": Kind.BOOLEAN}


def entries(predicted: Any, count: int) -> list[Any]:  # noqa: ANN401
    """The predictions for `count` rows: arrays, lists, sparse matrices, Series, tables, or columns.

    A row of several columns is a list, in their order. Numbers that are not finite and missing
    values are None; dates are ISO 8601. Raises ValueError for another number of predictions.
    """
    values: list[Any] = _plain(_array(predicted).tolist())
    if len(values) != count:
        raise ValueError(f"the model has {len(values)} predictions for {count} rows")
    return values


def _array(predicted: Any) -> "np.ndarray[Any, Any]":  # noqa: ANN401
    if isinstance(predicted, dict):
        predicted = pd.DataFrame(predicted)
    if isinstance(predicted, pd.Series):
        predicted = predicted.to_frame()
    if isinstance(predicted, pd.DataFrame):
        predicted = predicted.astype(object).to_numpy()
    elif hasattr(predicted, "toarray"):  # of scipy
        predicted = predicted.toarray()
    array = np.atleast_1d(np.asarray(predicted))
    if array.dtype.kind == "M":
        array = np.array([pd.Timestamp(it) for it in array.ravel()], object).reshape(array.shape)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.isoformat() if isinstance(value, date) else value


def output_of(answer: Answer | None, classes: tuple[Any, ...] | None) -> Output:
    """The output for a row, as in the prediction of a sample; a number if that was refused."""
    if answer is None:
        kind = _KINDS.get(np.asarray(classes).dtype.kind, Kind.STRING) if classes else Kind.NUMBER
        return Output(kind, 1, classes)
    first = answer.prediction[0]
    kind = _KINDS.get(np.asarray(first).dtype.kind, Kind.STRING)
    return Output(kind, len(first) if isinstance(first, list) else 1, classes)
