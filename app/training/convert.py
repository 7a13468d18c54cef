"""Turns a fitted estimator into ONNX, and proves that the two give the same answers."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
from onnx import ModelProto
from skl2onnx import to_onnx
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import BaseEstimator, is_classifier

#: Largest relative difference that is let pass between the estimator and its ONNX form: what the
#: service promises. Both compute in float64, so honest conversions differ by about 1e-15.
MAX_RELATIVE_DIFFERENCE = 1e-6

#: The same for what ONNX can only compute in float32, which has 24 binary digits: trees, logistic
#: regression and others, whose sums of many terms lose two or three decimal ones.
MAX_RELATIVE_DIFFERENCE_FLOAT32 = 1e-4

#: The metadata key of the graph that holds a classifier's labels as JSON, for the service. Only
#: where there are probabilities, which they are the columns of.
CLASSES = "classes"

_DTYPES: dict[str, Any] = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}

FloatArray = npt.NDArray[np.float64]
Table = FloatArray | pd.DataFrame


class ConversionError(Exception):
    """The ONNX form does not answer as the estimator does, so it must not be registered."""


def convert(estimator: BaseEstimator, features: Table) -> ModelProto:
    """Converts a fitted scikit-learn estimator or pipeline to ONNX.

    `features` are rows that it takes: an array, which becomes one input [rows, N], or a table, of
    which every column becomes an input [rows, 1] unless all are floats and nothing in the estimator
    asks for columns by name. In float64 where the converter can, else in float32; raises
    ConversionError where neither can be had.
    """
    problems = []
    for number in (DoubleTensorType, FloatTensorType):
        try:
            return _convert(estimator, features, number)
        except Exception as error:  # the converter's and onnxruntime's errors share no better base
            problems.append(f"{number.__name__}: {str(error).strip().splitlines()[0]}")
    raise ConversionError(
        f"{type(estimator).__name__} cannot be converted to ONNX ({'; '.join(problems)})"
    )


def verify(estimator: BaseEstimator, model: ModelProto, features: Table) -> float:
    """Compares both on every row of `features`; returns the largest relative difference.

    Raises ConversionError where it exceeds the bound, where an answer is not finite, where a label
    differs, and where the number of answers differs. Labels without probabilities differ by 0.
    """
    session = _session(model)
    outputs = session.run(None, _feed(session, features))
    expected = np.asarray(estimator.predict(features))
    if not is_classifier(estimator):
        return _bounded(session, expected, outputs[0])
    labels = np.asarray(outputs[0])
    if labels.shape != expected.shape or not np.array_equal(labels, expected):
        raise ConversionError("the ONNX model gives other labels; not registered")
    if not hasattr(estimator, "predict_proba"):
        return 0.0
    return _bounded(session, np.asarray(estimator.predict_proba(features)), outputs[1])


def _convert(estimator: BaseEstimator, features: Table, number: type) -> ModelProto:
    options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
    model: ModelProto = to_onnx(estimator, initial_types=_types(features, number), options=options)
    if is_classifier(estimator) and hasattr(estimator, "predict_proba"):
        labels = np.asarray(estimator.classes_).tolist()
        model.metadata_props.add(key=CLASSES, value=json.dumps(labels))
    # A graph that the converter wrote is not always one that can be run.
    session = _session(model)
    session.run(None, _feed(session, features[:1]))
    return model


def _types(features: Table, number: type) -> list[tuple[str, Any]]:
    if isinstance(features, np.ndarray):
        return [("X", number([None, features.shape[1]]))]
    kinds = {"f": number, "i": Int64TensorType, "u": Int64TensorType, "b": BooleanTensorType}
    return [
        (str(name), kinds.get(dtype.kind, StringTensorType)([None, 1]))
        for name, dtype in features.dtypes.items()
    ]


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def _feed(session: onnxruntime.InferenceSession, features: Table) -> dict[str, npt.NDArray[Any]]:
    inputs = session.get_inputs()
    if isinstance(features, np.ndarray):
        return {inputs[0].name: features.astype(_DTYPES[inputs[0].type])}
    return {
        given.name: features[[given.name]].to_numpy().astype(_DTYPES[given.type])
        for given in inputs
    }


def _bounded(
    session: onnxruntime.InferenceSession, expected: FloatArray, actual: npt.NDArray[Any]
) -> float:
    if actual.size != expected.size:
        raise ConversionError(
            f"the ONNX model gives {actual.size} answers for {expected.size} values; not registered"
        )
    single = any(given.type == "tensor(float)" for given in session.get_inputs())
    bound = MAX_RELATIVE_DIFFERENCE_FLOAT32 if single else MAX_RELATIVE_DIFFERENCE
    difference = _largest_relative_difference(
        expected.astype(np.float64).reshape(-1), actual.astype(np.float64).reshape(-1)
    )
    if not difference <= bound:
        raise ConversionError(
            f"the ONNX model and the estimator differ by {difference:.3g} (relative), more than "
            f"{bound:g}; not registered"
        )
    return difference


def _largest_relative_difference(expected: FloatArray, actual: FloatArray) -> float:
    # An answer near zero is a small difference of large terms, so its rounding error is as large as
    # theirs: below a millionth of the largest answer the error is measured against that instead.
    floor = max(1e-6 * float(np.max(np.abs(expected))), np.finfo(np.float64).tiny)
    with np.errstate(all="ignore"):  # what overflows here is refused as NaN or infinity
        return float(np.max(np.abs(actual - expected) / np.maximum(np.abs(expected), floor)))
