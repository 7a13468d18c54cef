"""Verifies that a model is linear, so that the service does not need ONNX for it.

The coefficients are stored in the MLmodel file; serving/models/linear.py reads them.
"""

import hashlib
import json
from operator import mul
from typing import Any

import numpy as np
from onnx import ModelProto
from sklearn.base import BaseEstimator, is_classifier

from training.convert import session_of
from training.rows import FloatArray, Table

#: Largest accepted relative difference to the ONNX model. Both add the same few products in
#: float64, in different orders.
MAX_RELATIVE_DIFFERENCE = 1e-9

#: Random rows in addition to the training data: this many for each of several magnitudes.
_RANDOM_ROWS = 200
_MAGNITUDES = (1e-9, 1e-3, 1.0, 1e3, 1e9)
_SEED = 42


def note(estimator: BaseEstimator, model: ModelProto, features: Table) -> str | None:
    """The coefficients as JSON, with the SHA-256 of the ONNX file that gives the same predictions.

    None for an estimator without coefficients, for columns that are not all floats, and if a
    prediction differs on any row of `features` or on any random row.
    """
    given = np.asarray(features)
    parameters = _parameters(estimator, given.shape[1]) if given.dtype.kind == "f" else None
    if parameters is None:
        return None
    coefficients, intercept = parameters
    content = model.SerializeToString()
    session = session_of(model)
    name, kind = session.get_inputs()[0].name, session.get_inputs()[0].type
    if len(session.get_inputs()) > 1 or kind != "tensor(double)":
        return None
    rows = _rows(given)
    expected = np.asarray(session.run(None, {name: rows})[0]).reshape(-1)
    for row, value in zip(rows.tolist(), expected.tolist(), strict=True):
        # Computed as the service does.
        answer = sum(map(mul, coefficients, row), intercept)
        terms = sum(abs(a * x) for a, x in zip(coefficients, row, strict=True)) + abs(intercept)
        if not abs(answer - value) <= MAX_RELATIVE_DIFFERENCE * terms:
            return None
    return json.dumps(
        {
            "coefficients": coefficients,
            "intercept": intercept,
            "onnx_sha256": hashlib.sha256(content).hexdigest(),
        }
    )


def _parameters(estimator: Any, count: int) -> tuple[list[float], float] | None:  # noqa: ANN401
    coefficients = np.asarray(getattr(estimator, "coef_", ()), dtype=object)
    intercept = np.asarray(getattr(estimator, "intercept_", 0.0)).reshape(-1)
    if is_classifier(estimator) or coefficients.size != count or intercept.size != 1:
        return None
    return [float(value) for value in coefficients.reshape(-1)], float(intercept[0])


def _rows(features: FloatArray) -> FloatArray:
    random = np.random.default_rng(_SEED)
    drawn = [
        random.normal(scale=magnitude, size=(_RANDOM_ROWS, features.shape[1]))
        for magnitude in _MAGNITUDES
    ]
    return np.vstack([features, *drawn])
