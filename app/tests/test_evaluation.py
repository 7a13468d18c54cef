"""Models are measured with their own predictions on the rows of a gate."""

import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from training.evaluation import Holdout, check_metric, read_holdout, score
from training.settings import SettingsError

RANDOM = np.random.default_rng(4)
PEOPLE = pd.DataFrame(
    {
        "id": range(60),
        "age": RANDOM.integers(20, 60, 60),
        "city": RANDOM.choice(["Oslo", "Bern"], 60),
    }
)
INCOME = PEOPLE["age"] * 2.5 + (PEOPLE["city"] == "Oslo") * 10 + RANDOM.normal(size=60)
HOLDOUT = Holdout(PEOPLE.assign(target=INCOME), "holdout.csv", "holdout.csv")
COLUMNS = ["city", "age"]


def saved(folder: Path, model: Any, rows: Any) -> str:  # noqa: ANN401
    path = str(folder / "model")
    quick: dict[str, Any] = {"pip_requirements": ["mlflow"]}
    if rows is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quick["signature"] = infer_signature(rows)
    if isinstance(model, PythonModel):
        mlflow.pyfunc.save_model(path, python_model=model, **quick)
    else:
        mlflow.sklearn.save_model(model, path, serialization_format="cloudpickle", **quick)
    return path


def by_name(last: BaseEstimator) -> BaseEstimator:
    encoder = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    return make_pipeline(encoder, last)


def test_the_columns_of_a_table_by_their_names(tmp_path: Path) -> None:
    # The model was fitted on floats, and knows no `id`.
    rows = PEOPLE[COLUMNS].astype({"age": "float64"})
    model = by_name(LinearRegression()).fit(rows, INCOME)
    uri, predicted = saved(tmp_path, model, rows), model.predict(rows)
    assert score(uri, "r2", HOLDOUT).value == r2_score(INCOME, predicted)
    found = score(uri, "neg_root_mean_squared_error", HOLDOUT).value
    assert found == -root_mean_squared_error(INCOME, predicted)


def test_probabilities(tmp_path: Path) -> None:
    middle = INCOME.median()
    labels = np.where(middle < INCOME, "rich", "poor")
    model = by_name(LogisticRegression()).fit(PEOPLE[COLUMNS], labels)
    holdout = Holdout(PEOPLE.assign(income=labels), "h.csv", "h.csv", "income")
    found = score(saved(tmp_path, model, PEOPLE[COLUMNS]), "roc_auc", holdout).value
    assert found == roc_auc_score(labels, model.predict_proba(PEOPLE[COLUMNS])[:, 1])


def test_an_array_has_all_columns_without_the_target(tmp_path: Path) -> None:
    rows = PEOPLE[["id", "age"]].to_numpy()
    model = LinearRegression().fit(rows, INCOME)
    holdout = Holdout(PEOPLE[["id", "age"]].assign(target=INCOME), "h.csv", "h.csv")
    found = score(saved(tmp_path, model, rows), "r2", holdout).value
    assert found == r2_score(INCOME, model.predict(rows))


class Function(PythonModel):
    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ANN401, ARG002
        return model_input["age"] * 2.5


def test_a_function(tmp_path: Path) -> None:
    # MLflow refuses integers where the signature says double.
    uri = saved(tmp_path, Function(), pd.DataFrame({"age": [1.5]}))
    assert score(uri, "r2", HOLDOUT).value == r2_score(INCOME, PEOPLE["age"] * 2.5)


@pytest.mark.parametrize(
    ("metric", "table", "said"),
    [
        ("accuracy", HOLDOUT.table, "(ValueError: continuous is not supported)"),
        ("roc_auc", HOLDOUT.table, "(AttributeError: Pipeline has none of the following attr"),
        ("r2", HOLDOUT.table.drop(columns="age"), "(KeyError: \"there are no columns ['age']\")"),
        ("r2", HOLDOUT.table.assign(age=np.nan), "(ValueError: Input X contains NaN."),
        ("r2", HOLDOUT.table.assign(city="Rome"), "(ValueError: Found unknown categories"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(
    metric: str, table: pd.DataFrame, said: str, tmp_path: Path
) -> None:
    model = by_name(LinearRegression()).fit(PEOPLE[COLUMNS], INCOME)
    uri = saved(tmp_path, model, PEOPLE[COLUMNS])
    found = score(uri, metric, Holdout(table, "holdout.csv", "holdout.csv"))
    assert found.value is None
    assert found.problem.startswith(f"unknown, as it cannot be measured on holdout.csv {said}")


def test_a_model_that_does_not_exist_cannot_be_measured(tmp_path: Path) -> None:
    assert score(str(tmp_path / "nothing"), "r2", HOLDOUT).value is None


def test_unknown_metrics_are_refused_with_the_known_ones() -> None:
    check_metric("r2")
    check_metric("neg_mean_absolute_error")
    with pytest.raises(SettingsError, match=r"^GATE: metric 'rmse' is unknown; .*'accuracy'.*'r2'"):
        check_metric("rmse")


def test_the_rows_of_a_gate(tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    content = b"age,income\n31,7.5\n40,8.5\n"
    (tmp_path / "held/out.csv").write_bytes(content)
    found = read_holdout(tmp_path, "held/out.csv", "income")
    assert found.table.to_dict("list") == {"age": [31, 40], "income": [7.5, 8.5]}
    assert (found.name, found.target) == ("held/out.csv", "income")
    assert found.sha256 == sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is not a CSV file: No columns to parse from file"),
        (b"\xff\xfea,target\n", "is not a CSV file: 'utf-8' codec can't decode byte 0xff"),
        (b"a,target\n1,2\n1,2,3\n", "is not a CSV file: Error tokenizing data"),
        (b"a,target\n", "has no rows"),
        (
            b"a,income\n1,2\n",
            "has no column 'target', only ['a', 'income']; set the gate's target to the column",
        ),
    ],
)
def test_rows_that_cannot_be_used(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "h.csv").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_holdout(tmp_path, "h.csv", None)
    assert str(caught.value).startswith(f"GATE: data {tmp_path}/h.csv: {said}")
