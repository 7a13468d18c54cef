"""Converts a fitted estimator to ONNX, and verifies that both give the same predictions."""

import json
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
from onnx import ModelProto
from skl2onnx import get_latest_tested_opset_version, to_onnx
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import BaseEstimator, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from training.graph import complete, flags_as_numbers, in_float32

#: Largest accepted relative difference between the estimator and its ONNX form, which the service
#: guarantees. Both compute in float64, so correct conversions differ by about 1e-15.
MAX_RELATIVE_DIFFERENCE = 1e-6

#: The same for operators that ONNX has only in float32, with 24 binary digits: trees, logistic
#: regression and others. Their sums of many terms lose two or three decimal digits.
MAX_RELATIVE_DIFFERENCE_FLOAT32 = 1e-4

#: A prediction near zero is a small difference of large terms, so its rounding error is as large as
#: theirs: below this share of the largest prediction the error is relative to that share instead.
#: With the bounds above that is some five thousand times, and sixteen times, the last binary digit.
_FLOOR, _FLOOR_FLOAT32 = 1e-6, 1e-2

#: The newest version; for the operators of trees the version that every converter supports.
_OPSETS = {"": get_latest_tested_opset_version(), "ai.onnx.ml": 3}

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
    """The ONNX form gives other predictions than the estimator, so it must not be registered."""


def convert(estimator: BaseEstimator, features: Table) -> ModelProto:
    """Converts a fitted scikit-learn estimator or pipeline to ONNX.

    `features` are valid rows: an array, which becomes one input [rows, N], or a table. All columns
    of a table become one input if they are floats and the estimator selects none by name, or if
    they are numbers and no other form can be converted; else every column is an input [rows, 1].
    In float64 if the converter supports it, else in float32; raises ConversionError if neither
    works.
    """
    problems = []
    for number in (DoubleTensorType, FloatTensorType):
        for types in _types(features, number):
            try:
                return _convert(estimator, features, types)
            except (
                Exception
            ) as error:  # the converter's and onnxruntime's have no common base class
                problems.append(f"{number.__name__}: {str(error).strip().splitlines()[0]}")
    raise ConversionError(
        f"{type(estimator).__name__} cannot be converted to ONNX ({'; '.join(problems)})"
    )


def verify(estimator: BaseEstimator, model: ModelProto, features: Table) -> float:
    """Compares both on every row of `features`; returns the largest relative difference.

    Raises ConversionError if it exceeds the bound, if a prediction is not finite, if a label
    differs, and if the number of predictions differs. Labels without probabilities differ by 0.
    """
    session = _session(model)
    outputs = session.run(None, _feed(session, features))
    expected = np.asarray(estimator.predict(features))
    single = in_float32(model)
    if not is_classifier(estimator):
        return _bounded(single, expected, outputs[0])
    # Compared as JSON, in which false, 0 and 0.0 are different.
    if json.dumps(outputs[0].tolist()) != json.dumps(expected.tolist()):
        raise ConversionError("the ONNX model gives other labels; not registered")
    if _classes(estimator) is None:
        return 0.0
    return _bounded(single, np.asarray(estimator.predict_proba(features)), outputs[1])


def _convert(estimator: BaseEstimator, features: Table, types: list[tuple[str, Any]]) -> ModelProto:
    convertible = _convertible(estimator)
    options = {id(_last(convertible)): {"zipmap": False} if _has_probabilities(estimator) else {}}
    with flags_as_numbers():
        model: ModelProto = to_onnx(
            convertible, initial_types=types, options=options, target_opset=_OPSETS
        )
    labels = estimator.predict(features[:1]).dtype.kind if is_classifier(estimator) else None
    complete(model, labels, _classes(estimator), _example(features))
    # Not every graph of the converter can be run.
    session = _session(model)
    session.run(None, _feed(session, features[:1]))
    return model


def _convertible(estimator: BaseEstimator) -> BaseEstimator:
    """The same, or a copy without parts that predict nothing and cannot be converted."""
    if hasattr(estimator, "best_estimator_"):  # of a search, which predicts with the best one
        return _convertible(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        return Pipeline(
            [*estimator.steps[:-1], (estimator.steps[-1][0], _convertible(estimator[-1]))]
        )
    if isinstance(estimator, VotingClassifier):
        return copy(estimator).set_params(flatten_transform=False)
    return estimator


def _last(estimator: BaseEstimator) -> BaseEstimator:
    return _last(estimator[-1]) if isinstance(estimator, Pipeline) else estimator


def _has_probabilities(estimator: BaseEstimator) -> bool:
    return is_classifier(estimator) and hasattr(estimator, "predict_proba")


def _classes(estimator: BaseEstimator) -> list[Any] | None:
    """The labels of a classifier's probabilities; None without them, and for several outputs."""
    if not _has_probabilities(estimator) or isinstance(estimator.classes_, list):
        return None
    classes: list[Any] = estimator.classes_.tolist()
    return classes


def _example(features: Table) -> list[Any] | None:
    """The first row without missing values, as JSON; None if there is no such row."""
    table = pd.DataFrame(features)
    finite = table.select_dtypes("number").abs().lt(np.inf).all(axis=1)
    row = table[finite & table.notna().all(axis=1)][:1]
    return None if row.empty else [row[name].tolist()[0] for name in row]


def _types(features: Table, number: type) -> list[list[tuple[str, Any]]]:
    """The forms of input to try, in order."""
    matrix = [("X", number([None, features.shape[1]]))]
    if isinstance(features, np.ndarray):
        return [matrix]
    kinds = {"f": number, "i": Int64TensorType, "u": Int64TensorType, "b": BooleanTensorType}
    letters = [dtype.kind for dtype in features.dtypes]
    columns = [
        (str(name), kinds.get(letter, StringTensorType)([None, 1]))
        for name, letter in zip(features, letters, strict=True)
    ]
    if len(columns) == 1 or not set(letters) <= set(kinds):
        return [columns]
    return [matrix, columns] if set(letters) == {"f"} else [columns, matrix]


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def _feed(session: onnxruntime.InferenceSession, features: Table) -> dict[str, npt.NDArray[Any]]:
    inputs = session.get_inputs()
    if isinstance(features, np.ndarray) or inputs[0].shape[1] != 1:
        return {inputs[0].name: np.asarray(features).astype(_DTYPES[inputs[0].type])}
    return {
        given.name: features[[given.name]].to_numpy().astype(_DTYPES[given.type])
        for given in inputs
    }


def _bounded(single: bool, expected: FloatArray, actual: npt.NDArray[Any]) -> float:
    if actual.size != expected.size:
        raise ConversionError(
            f"the ONNX model gives {actual.size} answers for {expected.size} values; not registered"
        )
    bound = MAX_RELATIVE_DIFFERENCE_FLOAT32 if single else MAX_RELATIVE_DIFFERENCE
    difference = _largest_relative_difference(
        expected.astype(np.float64).reshape(-1),
        actual.astype(np.float64).reshape(-1),
        _FLOOR_FLOAT32 if single else _FLOOR,
    )
    if not difference <= bound:
        raise ConversionError(
            f"the ONNX model and the estimator differ by {difference:.3g} (relative), more than "
            f"{bound:g}; not registered"
        )
    return difference


def _largest_relative_difference(expected: FloatArray, actual: FloatArray, floor: float) -> float:
    least = max(floor * float(np.max(np.abs(expected))), np.finfo(np.float64).tiny)
    with np.errstate(all="ignore"):  # overflows are refused as NaN or infinity
        return float(np.max(np.abs(actual - expected) / np.maximum(np.abs(expected), least)))
