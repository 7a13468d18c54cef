"""Rows as arrays of numpy, for all models but linear ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.endpoint import InvalidInput
from serving.models.signature import Kind

#: A value of each type, for a row that a model is tried with.
SAMPLES: dict[Kind, Any] = {
    Kind.NUMBER: 0.0,
    Kind.INTEGER: 0,
    Kind.BOOLEAN: False,
    Kind.STRING: "",
    Kind.DATETIME: "2000-01-01T00:00:00",
}


def array_of(rows: Sequence[object], dtype: npt.DTypeLike | None) -> "np.ndarray[Any, Any]":
    """Values of one type; raises InvalidInput (`out_of_range`) if one is too large for it."""
    try:
        with np.errstate(over="ignore"):  # overflows are refused below
            array = np.array(rows, dtype=dtype)
    except OverflowError:
        raise InvalidInput("out_of_range") from None  # too large for the integers of the model
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise InvalidInput("out_of_range")  # too large for the floats of the model
    return array
