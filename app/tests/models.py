"""Models of every supported form, as training registers them in MLflow."""

import json
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from serving.endpoint import Endpoint
from serving.models import serve
from serving.models.choice import model_of
from tests.files import ModelFiles
from training.convert import convert
from training.rows import Table

MAX_ROWS = 60
INFER = "/v2/models/demo/infer"

RANDOM = np.random.default_rng(5)
ROWS = RANDOM.normal(size=(60, 3))
TARGET = ROWS @ [1.0, -2.0, 0.5] + 0.25
COLOURS = np.array(["blue", "green", "red"])[np.digitize(ROWS[:, 0], [-0.5, 0.5])]
PEOPLE = pd.DataFrame(
    {
        "age": RANDOM.uniform(18, 90, 60),
        "city": RANDOM.choice(["Bern", "Oslo", "Rome"], 60),
        "visits": RANDOM.integers(0, 9, 60),
        "member": RANDOM.choice([True, False], 60),
    }
)


@dataclass
class Known:
    """An estimator, valid rows, and its files."""

    estimator: Any
    table: Table
    files: ModelFiles

    @property
    def rows(self) -> list[list[Any]]:
        table = self.table
        values = table.astype(object).to_numpy() if isinstance(table, pd.DataFrame) else table
        rows: list[list[Any]] = values.tolist()
        return rows


def mixed(last: BaseEstimator, **options: Any) -> BaseEstimator:  # noqa: ANN401
    columns = ColumnTransformer(
        [
            ("number", StandardScaler(), ["age"]),
            ("count", OneHotEncoder(**options), ["visits"]),
            ("text", OneHotEncoder(**options), ["city"]),
        ]
    )
    return make_pipeline(columns, last)


def ordinal() -> BaseEstimator:
    """Ordinal encoders: two columns refuse unknown categories, one does not."""
    lenient = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer(
        [
            ("strict", OrdinalEncoder(), ["visits", "city"]),
            ("lenient", lenient, ["country"]),
            ("number", "passthrough", ["age"]),
        ]
    )
    return make_pipeline(columns, Ridge())


AGES = PEOPLE["age"] * 2 + PEOPLE["visits"]
SIDES = (TARGET > 0).astype(np.int64)
TWO_SIDES = np.stack([SIDES, 1 - SIDES], axis=1)
TABLE = pd.DataFrame(ROWS, columns=list("abc"))
NUMBERS = PEOPLE[["age", "visits", "member"]]
COLUMNS = PEOPLE[["age", "visits", "city"]]
IGNORE = {"handle_unknown": "ignore"}

ESTIMATORS: dict[str, tuple[BaseEstimator, Table, Any]] = {
    "linear": (LinearRegression(), ROWS, TARGET),
    "ridge": (Ridge(), ROWS, TARGET),
    "scaled": (make_pipeline(StandardScaler(), Ridge()), ROWS, TARGET),
    "normalized": (make_pipeline(Normalizer(), Ridge()), ROWS, TARGET),
    "powers": (make_pipeline(PowerTransformer("box-cox"), Ridge()), np.exp(ROWS), TARGET),
    "boosting": (GradientBoostingRegressor(n_estimators=10), ROWS, TARGET),
    "histograms": (HistGradientBoostingRegressor(max_iter=5), ROWS, TARGET),
    "histogram labels": (HistGradientBoostingClassifier(max_iter=5), ROWS, COLOURS),
    "neighbours": (KNeighborsRegressor(3), ROWS, TARGET),
    "forest": (RandomForestClassifier(5, random_state=1), ROWS, COLOURS),
    "outliers": (IsolationForest(n_estimators=10, random_state=1), ROWS, None),
    "logistic": (LogisticRegression(), ROWS, SIDES),
    "boolean labels": (LogisticRegression(), ROWS, TARGET > 0),
    "float labels": (RandomForestClassifier(5, random_state=1), ROWS, SIDES * 2.0),
    "sides": (RidgeClassifier(), ROWS, TARGET > 0),
    "vectors": (SVC(), ROWS, COLOURS),
    "vectors with probabilities": (SVC(probability=True, random_state=1), ROWS, COLOURS),
    "linear vectors": (make_pipeline(StandardScaler(), LinearSVC()), ROWS, COLOURS),
    "vote": (
        VotingClassifier([("line", LogisticRegression()), ("bayes", GaussianNB())], voting="soft"),
        ROWS,
        COLOURS,
    ),
    "vote of a pipeline": (
        make_pipeline(StandardScaler(), VotingClassifier([("bayes", GaussianNB())], voting="soft")),
        ROWS,
        COLOURS,
    ),
    "two outputs": (LinearRegression(), ROWS, np.stack([TARGET, -TARGET], axis=1)),
    "two outputs of a tree": (DecisionTreeRegressor(), ROWS, np.stack([TARGET, -TARGET], axis=1)),
    "two labels": (MultiOutputClassifier(LogisticRegression()), ROWS, TWO_SIDES),
    "two labels of a forest": (RandomForestClassifier(5, random_state=1), ROWS, TWO_SIDES),
    "table": (LinearRegression(), TABLE, TARGET),
    "table forest": (RandomForestClassifier(30, random_state=3), TABLE, COLOURS),
    "table by name": (
        make_pipeline(ColumnTransformer([("b", StandardScaler(), ["b", "a"])]), Ridge()),
        TABLE[["a", "b"]],
        TARGET,
    ),
    "numbers": (LinearRegression(), NUMBERS, AGES),
    "whole floats": (
        mixed(Ridge(), **IGNORE),
        COLUMNS.assign(visits=COLUMNS["visits"].astype(float)),
        AGES,
    ),
    "strict whole floats": (
        make_pipeline(ColumnTransformer([("count", OneHotEncoder(), [0])]), Ridge()),
        PEOPLE[["visits", "age"]].to_numpy(),
        AGES,
    ),
    "search": (
        GridSearchCV(make_pipeline(StandardScaler(), LinearSVC()), {"linearsvc__C": [0.1, 1]}),
        ROWS,
        COLOURS,
    ),
    "mixed regressor": (mixed(Ridge(), **IGNORE), COLUMNS, AGES),
    "mixed classifier": (
        mixed(LogisticRegression(max_iter=500), **IGNORE),
        COLUMNS,
        np.where(PEOPLE["city"] == "Oslo", "yes", "no"),
    ),
    "strict": (mixed(Ridge()), COLUMNS, AGES),
    "ordinal": (ordinal(), COLUMNS.assign(country=COLUMNS["city"].str.upper()), AGES),
}


def known(name: str) -> Known:
    """Fits and converts one of ESTIMATORS."""
    estimator, table, target = ESTIMATORS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow on integer columns, of scikit-learn on SVC
        estimator.fit(table, target)
        model = convert(estimator, table)
        frame = pd.DataFrame(
            table, columns=getattr(table, "columns", list("abc")[: table.shape[1]])
        )
        signature = infer_signature(frame[:1]).to_dict()
    mlmodel = yaml.safe_dump({"signature": signature}).encode()
    return Known(estimator, table, ModelFiles("demo", "3", model.SerializeToString(), mlmodel))


def labels(item: Known) -> list[Any] | None:
    """The classes of a classifier with probabilities."""
    classes = getattr(item.estimator, "classes_", None)
    has_shares = hasattr(item.estimator, "predict_proba") and isinstance(classes, np.ndarray)
    return list(item.estimator.classes_.tolist()) if has_shares else None


@cache
def made(name: str) -> tuple[Known, dict[str, Endpoint]]:
    item = known(name)
    return item, dict(serve("demo", "3", model_of(item.files), MAX_ROWS).endpoints)


def ask(name: str, path: str, body: object) -> Any:  # noqa: ANN401
    return json.loads(made(name)[1][path].handle(json.dumps(body).encode()))


def tensor(data: Any, datatype: str = "FP64", name: str = "features", **more: Any) -> Any:  # noqa: ANN401
    shape = list(np.shape(data))
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}
