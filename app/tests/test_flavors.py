"""Models of other libraries than scikit-learn: each answer equals the model's, to the last bit."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import mlflow.lightgbm
import mlflow.pyfunc
import mlflow.sklearn
import mlflow.statsmodels
import mlflow.xgboost
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xgboost
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, Schema, TensorSpec
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serving.endpoint import InvalidInput
from serving.errors import ModelUnavailable, Reason
from serving.models import serve
from serving.models.choice import model_of
from serving.models.signature import Kind
from tests.files import ModelFolder

IRIS = load_iris(return_X_y=True)
IRIS_TABLE = load_iris(return_X_y=True, as_frame=True)
DIABETES = load_diabetes(return_X_y=True)
DIABETES_TABLE = load_diabetes(return_X_y=True, as_frame=True)
GAPS = np.where(np.random.default_rng(3).random(DIABETES[0].shape) < 0.1, np.nan, DIABETES[0])

#: MLflow would find out the requirements in a process of its own.
QUICK = {"pip_requirements": ["mlflow"]}


def saved(flavor: Any, folder: Path, model: Any, rows: Any, **more: Any) -> ModelFolder:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signature = infer_signature(rows)
        flavor.save_model(model, path=str(folder), signature=signature, **QUICK, **more)
    return ModelFolder(folder)


def saved_function(folder: Path, function: PythonModel, **more: Any) -> ModelFolder:  # noqa: ANN401
    mlflow.pyfunc.save_model(str(folder), python_model=function, **QUICK, **more)
    return ModelFolder(folder)


def ask(found: ModelFolder, rows: Any) -> dict[str, Any]:  # noqa: ANN401
    table = pd.DataFrame(rows).astype(object)
    features = table.where(table.notna(), None).to_numpy().tolist()
    endpoints = serve("demo", "3", model_of(found), 1000).endpoints
    body = json.dumps({"features": features}).encode()
    answer: dict[str, Any] = json.loads(endpoints["/predict"].handle(body))
    return answer


ESTIMATORS: dict[str, tuple[Any, Any, Any, Any]] = {
    "XGBoost classes": (mlflow.xgboost, xgboost.XGBClassifier(n_estimators=20, n_jobs=1), *IRIS),
    "XGBoost table": (
        mlflow.xgboost,
        xgboost.XGBClassifier(n_estimators=20, n_jobs=1),
        *IRIS_TABLE,
    ),
    "XGBoost with gaps": (
        mlflow.xgboost,
        xgboost.XGBRegressor(n_estimators=20, n_jobs=1),
        GAPS,
        DIABETES[1],
    ),
    "LightGBM classes": (
        mlflow.lightgbm,
        lightgbm.LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
        *IRIS,
    ),
    "LightGBM table": (
        mlflow.lightgbm,
        lightgbm.LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1),
        *DIABETES_TABLE,
    ),
    "LightGBM with gaps": (
        mlflow.lightgbm,
        lightgbm.LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1),
        GAPS,
        DIABETES[1],
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_of_other_libraries(name: str, tmp_path: Path) -> None:
    flavor, model, rows, target = ESTIMATORS[name]
    train, held_out, labels, _ = train_test_split(rows, target, test_size=0.4, random_state=0)
    model.fit(train, labels)
    more = {"serialization_format": "cloudpickle"} if flavor is mlflow.lightgbm else {}
    answer = ask(saved(flavor, tmp_path / "model", model, train, **more), held_out)
    assert answer["prediction"] == model.predict(held_out).tolist()
    if hasattr(model, "predict_proba"):
        assert answer["probabilities"] == model.predict_proba(held_out).tolist()
        assert answer["classes"] == model.classes_.tolist()


def test_a_booster_of_xgboost(tmp_path: Path) -> None:
    rows, target = DIABETES_TABLE
    model = xgboost.train({"max_depth": 3, "nthread": 1}, xgboost.DMatrix(rows, target), 20)
    found = saved(mlflow.xgboost, tmp_path / "model", model, rows)
    assert ask(found, rows)["prediction"] == model.predict(xgboost.DMatrix(rows)).tolist()
    assert model_of(found).served_as == "mlflow:xgboost"


def test_a_booster_of_lightgbm(tmp_path: Path) -> None:
    rows, target = DIABETES_TABLE
    model = lightgbm.train({"num_threads": 1, "verbose": -1}, lightgbm.Dataset(rows, target), 20)
    found = saved(mlflow.lightgbm, tmp_path / "model", model, rows)
    assert ask(found, rows)["prediction"] == np.asarray(model.predict(rows)).tolist()


def test_a_generalised_linear_model_of_statsmodels(tmp_path: Path) -> None:
    rows, target = DIABETES_TABLE
    rows = sm.add_constant(rows)
    model = sm.GLM(target, rows, family=sm.families.Poisson()).fit()
    found = saved(mlflow.statsmodels, tmp_path / "model", model, rows)
    assert ask(found, rows)["prediction"] == model.predict(rows).tolist()
    assert model_of(found).served_as == "mlflow:statsmodels"


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), None),
        (RandomForestClassifier(10, random_state=0), ["sklearn.tree._tree.Tree"]),
    ],
)
def test_a_model_in_the_format_of_skops(
    model: BaseEstimator, trusted: list[str] | None, tmp_path: Path
) -> None:
    model.fit(IRIS[0], np.array(["a", "b", "c"])[IRIS[1]])
    format = {"serialization_format": "skops", "skops_trusted_types": trusted}
    found = saved(mlflow.sklearn, tmp_path / "model", model, IRIS[0], **format)
    assert (found.folder / "model.skops").is_file()
    answer = ask(found, IRIS[0])
    assert answer["prediction"] == model.predict(IRIS[0]).tolist()
    assert answer["probabilities"] == model.predict_proba(IRIS[0]).tolist()


class Network(PythonModel):
    """Two layers in single precision, as a network of PyTorch is logged: one tensor."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self.layers = [random.normal(size=shape).astype("float32") for shape in ((4, 8), (8, 3))]

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ANN401, ARG002
        first, second = self.layers
        return np.maximum(model_input @ first, 0) @ second


class Steps(PythonModel):
    """Steps before and after: a table with a text, a number with gaps and a date."""

    def __init__(self, result: Callable[[pd.DataFrame, Any], Any]) -> None:
        self.result = result

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ANN401, ARG002
        scores = model_input["age"].fillna(40) / 2 + model_input["city"].str.len()
        return self.result(model_input, scores)


PEOPLE = pd.DataFrame({"city": ["Oslo", "Bern", "Rome"], "age": [31.5, np.nan, 60.0]})
COLUMNS = mlflow.models.ModelSignature(
    Schema([ColSpec("string", "city"), ColSpec("double", "age")])
)

RESULTS: dict[str, tuple[Callable[[pd.DataFrame, Any], Any], list[Any]]] = {
    "Series": (lambda _, scores: scores, [19.75, 24.0, 34.0]),
    "list": (lambda _, scores: scores.tolist(), [19.75, 24.0, 34.0]),
    "texts": (lambda rows, _: rows["city"].str.upper(), ["OSLO", "BERN", "ROME"]),
    "a table": (
        lambda rows, scores: pd.DataFrame({"city": rows["city"], "score": scores}),
        [["Oslo", 19.75], ["Bern", 24.0], ["Rome", 34.0]],
    ),
    "columns": (
        lambda _, scores: {"score": scores.to_numpy(), "high": scores.to_numpy() > 20},
        [[19.75, False], [24.0, True], [34.0, True]],
    ),
    "dictionaries": (
        lambda _, scores: [{"score": np.float32(score)} for score in scores],
        [{"score": 19.75}, {"score": 24.0}, {"score": 34.0}],
    ),
    "gaps": (lambda rows, _: rows["age"], [31.5, None, 60.0]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_functions_with_steps_before_and_after(name: str, tmp_path: Path) -> None:
    result, expected = RESULTS[name]
    found = saved_function(tmp_path / "model", Steps(result), signature=COLUMNS)
    assert ask(found, PEOPLE)["prediction"] == expected


def test_a_network_that_takes_a_tensor(tmp_path: Path) -> None:
    rows = IRIS[0].astype("float32")
    tensor = mlflow.models.ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 4))]))
    found = saved_function(tmp_path / "model", Network(), signature=tensor)
    assert ask(found, rows)["prediction"] == Network().predict(None, rows).tolist()
    assert model_of(found).output.width == 3


def test_the_output_is_that_of_the_example(tmp_path: Path) -> None:
    model = Steps(lambda rows, _: rows["city"].map({"Oslo": "north"}.__getitem__))
    found = saved_function(tmp_path / "model", model, signature=COLUMNS, input_example=PEOPLE[:1])
    assert model_of(found).output.kind is Kind.STRING


def test_a_function_that_fails_on_a_gap(tmp_path: Path) -> None:
    model = Steps(lambda rows, _: [len(city) for city in rows["age"].map(int)])
    found = saved_function(tmp_path / "model", model, signature=COLUMNS)
    with pytest.raises(InvalidInput, match="missing_value"):
        ask(found, PEOPLE)


def test_a_function_without_a_signature_is_refused(tmp_path: Path) -> None:
    found = saved_function(tmp_path / "model", Network())
    with pytest.raises(ModelUnavailable, match="log it again with input_example") as caught:
        model_of(found)
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED
