"""Models of each kind, with the data that they are trained on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import mlflow.lightgbm
import mlflow.onnx
import mlflow.pyfunc
import mlflow.sklearn
import mlflow.statsmodels
import mlflow.xgboost
import numpy as np
import onnx
import pandas as pd
import statsmodels.api as sm
import xgboost
from mlflow.pyfunc.model import PythonModel
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

#: Random numbers are the same in each run.
_SEED = 7


@dataclass(frozen=True)
class Case:
    """A kind of model."""

    data: str
    #: Rows as a table, and the target.
    rows: pd.DataFrame
    target: Any
    #: Returns a fitted model for rows and their target.
    fit: Callable[[pd.DataFrame, Any], Any]
    #: The module of MLflow that logs it.
    flavor: Any
    #: What the model itself says for rows, if it is not `model.predict`.
    predict: Callable[[Any, pd.DataFrame], Any] = lambda model, rows: model.predict(rows)
    options: dict[str, Any] | None = None


def _table(loaded: Any, dtype: str = "float64") -> tuple[pd.DataFrame, Any]:  # noqa: ANN401
    return loaded.data.astype(dtype), loaded.target


CANCER = _table(load_breast_cancer(as_frame=True))
DIABETES = _table(load_diabetes(as_frame=True, scaled=False))
DIGITS = _table(load_digits(as_frame=True), "float32")


def _gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """One value in ten is missing."""
    return rows.mask(np.random.default_rng(_SEED).random(rows.shape) < 0.1)


def _with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The sex as a text, and one value in ten missing."""
    return _gaps(rows.assign(sex=rows["sex"].map({1.0: "one", 2.0: "two"})))


def _glm(rows: pd.DataFrame, target: Any) -> Any:  # noqa: ANN401
    return sm.GLM(target, rows, family=sm.families.Poisson()).fit()


class Steps(PythonModel):
    """A model with steps before and after it."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401
        """Takes the fitted model."""
        self._model = model

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ANN401, ARG002
        """Fills gaps with the median of the request, and returns texts."""
        filled = model_input.fillna(model_input.median())
        return pd.Series(self._model.predict(filled)).map({0: "malignant", 1: "benign"})


def _steps(rows: pd.DataFrame, target: Any) -> Steps:  # noqa: ANN401
    return Steps(LogisticRegression(max_iter=10_000).fit(rows, target))


def _network(rows: pd.DataFrame, target: Any) -> onnx.ModelProto:  # noqa: ANN401
    """Two layers in single precision: random ones, and least squares."""
    random, values = np.random.default_rng(_SEED), rows.to_numpy()
    first = random.normal(size=(values.shape[1], 128)).astype("float32") / 8
    hidden = np.maximum(values @ first, 0)
    second = np.linalg.lstsq(hidden, np.eye(10, dtype="float32")[target], rcond=None)[0]
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["before"]),
        helper.make_node("Relu", ["before"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "second"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", values.shape[1]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 10])],
        [
            numpy_helper.from_array(it, name)
            for it, name in ((first, "first"), (second.astype("float32"), "second"))
        ],
    )
    opsets = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def _run_network(model: onnx.ModelProto, rows: pd.DataFrame) -> Any:  # noqa: ANN401
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": rows.to_numpy()})[0]


_CLOUDPICKLE = {"serialization_format": "cloudpickle"}

CASES: dict[str, Case] = {
    "StandardScaler, LogisticRegression": Case(
        "breast cancer",
        *CANCER,
        make_pipeline(StandardScaler(), LogisticRegression()).fit,
        mlflow.sklearn,
    ),
    "StandardScaler, GradientBoostingRegressor": Case(
        "diabetes",
        *DIABETES,
        make_pipeline(StandardScaler(), GradientBoostingRegressor(random_state=0)).fit,
        mlflow.sklearn,
    ),
    "HistGradientBoostingRegressor": Case(
        "diabetes, one value in ten missing",
        _gaps(DIABETES[0]),
        DIABETES[1],
        HistGradientBoostingRegressor(random_state=0).fit,
        mlflow.sklearn,
    ),
    "RandomForestClassifier in a Pipeline": Case(
        "diabetes with texts and missing values",
        _with_text(DIABETES[0]),
        (DIABETES[1] > 140).astype(int),
        make_pipeline(
            make_column_transformer(
                (OneHotEncoder(handle_unknown="ignore"), ["sex"]), remainder=SimpleImputer()
            ),
            RandomForestClassifier(random_state=0),
        ).fit,
        mlflow.sklearn,
    ),
    "KNeighborsClassifier": Case("digits", *DIGITS, KNeighborsClassifier().fit, mlflow.sklearn),
    "SVC with probabilities": Case(
        "breast cancer",
        *CANCER,
        make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)).fit,
        mlflow.sklearn,
    ),
    "XGBoost": Case(
        "digits",
        *DIGITS,
        xgboost.XGBClassifier(n_estimators=50, n_jobs=1).fit,
        mlflow.xgboost,
    ),
    "LightGBM": Case(
        "diabetes, one value in ten missing",
        _gaps(DIABETES[0]),
        DIABETES[1],
        lightgbm.LGBMRegressor(n_jobs=1, verbose=-1).fit,
        mlflow.lightgbm,
        options=_CLOUDPICKLE,
    ),
    "GLM of statsmodels": Case("diabetes", *DIABETES, _glm, mlflow.statsmodels),
    "pyfunc with steps before and after": Case(
        "breast cancer, one value in ten missing",
        _gaps(CANCER[0]),
        CANCER[1],
        lambda rows, target: _steps(rows.fillna(0), target),
        mlflow.pyfunc,
        lambda model, rows: model.predict(None, rows),
    ),
    "ONNX network, weights in a file of their own": Case(
        "digits", *DIGITS, _network, mlflow.onnx, _run_network, {"save_as_external_data": True}
    ),
}
