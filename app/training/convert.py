"""Converts a fitted estimator to ONNX."""

from collections.abc import Callable
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

from training.faster import ConversionError
from training.graph import (
    complete,
    exact_attributes,
    labels_of_votes,
    rename_input,
    trees_in_float64,
)
from training.rows import Table

#: The newest version; for the operators of trees the version that every converter supports.
_OPSETS = {"": get_latest_tested_opset_version(), "ai.onnx.ml": 3}

_NAMES = {DoubleTensorType: "float64", FloatTensorType: "float32"}

_DTYPES: dict[str, Any] = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def convert(
    estimator: BaseEstimator,
    features: Table,
    check: Callable[[ModelProto], None] = lambda _: None,
) -> ModelProto:
    """The first graph of a fitted scikit-learn estimator or pipeline that `check` accepts.

    `features` are valid rows: an array, which becomes one input [rows, N], or a table. All columns
    of a table become one input if they are floats and the estimator selects none by name, or if
    they are numbers and no other form is accepted; else every column is an input [rows, 1].
    In float64 first, then in float32. Raises ConversionError if the converter supports neither, or
    `check` has raised it for both; the message has all reasons.
    """
    forms = [
        (number, types)
        for number in (DoubleTensorType, FloatTensorType)
        for types in _types(features, number)
    ]
    problems = []
    for number, types in forms:
        try:
            model = _convert(estimator, features, number, types)
            check(model)
            return model
        except Exception as error:  # the converter's and onnxruntime's have no common base class
            refused = isinstance(error, ConversionError)
            reason = str(error) if refused else f"it cannot be converted ({_first_line(error)})"
            problems.append(f"in {_NAMES[number]} {reason}")
    raise ConversionError(f"{type(estimator).__name__}: {'; '.join(problems)}")


def session_of(model: ModelProto) -> onnxruntime.InferenceSession:
    """A session as the service has it; raises onnxruntime's exceptions for an invalid graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several sum up in another order
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _convert(
    estimator: BaseEstimator, features: Table, number: type, types: list[tuple[str, Any]]
) -> ModelProto:
    convertible = _convertible(estimator)
    options = {id(_last(convertible)): {"zipmap": False} if _has_probabilities(estimator) else {}}
    with exact_attributes():
        model: ModelProto = to_onnx(
            convertible, initial_types=types, options=options, target_opset=_OPSETS
        )
    labels = estimator.predict(features[:1]).dtype.kind if is_classifier(estimator) else None
    labels_of_votes(model)
    if number is DoubleTensorType:
        # Only histograms compare float64 numbers with their thresholds.
        trees_in_float64(model, rounding=not hasattr(_last(convertible), "_predictors"))
    complete(model, labels, classes_of(estimator), _example(features))
    for given, (name, _) in zip(model.graph.input, types, strict=True):
        rename_input(model.graph, given.name, name)  # the converter changes "home city"
    # Not every graph of the converter can be run.
    session = session_of(model)
    session.run(None, feed(session, features[:1]))
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


def classes_of(estimator: BaseEstimator) -> list[Any] | None:
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
    for name, dtype in features.dtypes.items():
        if (not isinstance(dtype, np.dtype) and dtype.kind != "O") or dtype.kind in "mM":
            raise ConversionError(f"column {name!r} has the type {dtype}, which ONNX has not")
    kinds = {"f": number, "i": Int64TensorType, "u": Int64TensorType, "b": BooleanTensorType}
    letters = [dtype.kind for dtype in features.dtypes]
    columns = [
        (str(name), kinds.get(letter, StringTensorType)([None, 1]))
        for name, letter in zip(features, letters, strict=True)
    ]
    if len(columns) == 1 or not set(letters) <= set(kinds):
        return [columns]
    return [matrix, columns] if set(letters) == {"f"} else [columns, matrix]


def feed(session: onnxruntime.InferenceSession, features: Table) -> dict[str, npt.NDArray[Any]]:
    """The inputs for rows, as the service gives them."""
    inputs = session.get_inputs()
    if isinstance(features, np.ndarray) or inputs[0].shape[1] != 1:
        return {inputs[0].name: np.asarray(features).astype(_DTYPES[inputs[0].type])}
    return {
        given.name: features[[given.name]].to_numpy().astype(_DTYPES[given.type])
        for given in inputs
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
