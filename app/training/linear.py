"""Finds out whether a model is linear, and proves it, so that the service can do without ONNX.

The note that comes of it goes into MLflow's description of the model; serving/models/linear.py is
what reads it.
"""

import hashlib
import json
from operator import mul
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto
from sklearn.base import BaseEstimator, is_classifier

from training.convert import FloatArray

#: Largest relative difference to the ONNX model that is let pass. Both add the same few products in
#: float64, in an order of their own.
MAX_RELATIVE_DIFFERENCE = 1e-9

#: Random rows besides the training data: as many at each of a wide range of magnitudes.
_RANDOM_ROWS = 200
_MAGNITUDES = (1e-9, 1e-3, 1.0, 1e3, 1e9)
_SEED = 42


def note(estimator: BaseEstimator, model: ModelProto, features: FloatArray) -> str | None:
    """The coefficients as JSON, with the SHA-256 of the ONNX file that they answer like.

    None for an estimator that has none, and for one that answers differently anywhere on the rows
    of `features` and on random ones.
    """
    parameters = _parameters(estimator, features.shape[1])
    if parameters is None:
        return None
    coefficients, intercept = parameters
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    if given.type != "tensor(double)":
        return None
    rows = _rows(features)
    expected = np.asarray(session.run(None, {given.name: rows})[0]).reshape(-1)
    for row, value in zip(rows.tolist(), expected.tolist(), strict=True):
        # As the service computes it.
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
