"""Turns a fitted estimator into ONNX, and proves that the two give the same answers."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import ModelProto
from skl2onnx import to_onnx

#: Largest relative difference that is let pass between the estimator and its ONNX form: what the
#: service promises. Both compute in float64, so honest conversions differ by about 1e-15.
MAX_RELATIVE_DIFFERENCE = 1e-6

FloatArray = npt.NDArray[np.float64]


class ConversionError(Exception):
    """The ONNX form does not answer as the estimator does, so it must not be registered."""


class Estimator(Protocol):
    """What is needed of a fitted scikit-learn regressor."""

    def predict(self, X: FloatArray) -> FloatArray:  # noqa: N803 (scikit-learn's own name)
        """Predicts one value for each row."""
        ...


def convert(estimator: Estimator, features: FloatArray) -> ModelProto:
    """Converts a fitted regressor to ONNX with a float64 input as wide as `features`."""
    model: ModelProto = to_onnx(estimator, features[:1])
    return model


def verify(estimator: Estimator, model: ModelProto, features: FloatArray) -> float:
    """Compares both on every row of `features`; returns the largest relative difference.

    Raises ConversionError where it exceeds MAX_RELATIVE_DIFFERENCE, where an answer is not finite,
    and where the number of answers differs.
    """
    expected = np.asarray(estimator.predict(features)).reshape(-1)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    actual = np.asarray(session.run(None, {session.get_inputs()[0].name: features})[0]).reshape(-1)
    if actual.shape != expected.shape:
        raise ConversionError(
            f"the ONNX model gives {actual.size} answers for {expected.size} rows; not registered"
        )
    difference = _largest_relative_difference(expected, actual)
    if not difference <= MAX_RELATIVE_DIFFERENCE:
        raise ConversionError(
            f"the ONNX model and the estimator differ by {difference:.3g} (relative), more than "
            f"{MAX_RELATIVE_DIFFERENCE:g}; not registered"
        )
    return difference


def _largest_relative_difference(expected: FloatArray, actual: FloatArray) -> float:
    # An answer near zero is a small difference of large terms, so its rounding error is as large as
    # theirs: below a millionth of the largest answer the error is measured against that instead.
    floor = max(1e-6 * float(np.max(np.abs(expected))), np.finfo(np.float64).tiny)
    with np.errstate(all="ignore"):  # what overflows here is refused as NaN or infinity
        return float(np.max(np.abs(actual - expected) / np.maximum(np.abs(expected), floor)))
