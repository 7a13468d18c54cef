"""Models of every shape that the service answers, as training leaves them in MLflow."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import yaml
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from serving.registry import ModelFiles
from training.convert import Table, convert, verify

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
    """An estimator, rows that it takes, and its files."""

    estimator: Any
    table: Table
    files: ModelFiles

    @property
    def rows(self) -> list[list[Any]]:
        table = self.table
        values = table.to_numpy() if isinstance(table, pd.DataFrame) else table
        rows: list[list[Any]] = values.tolist()
        return rows


def mixed(last: BaseEstimator) -> BaseEstimator:
    columns = ColumnTransformer(
        [
            ("number", StandardScaler(), ["age"]),
            ("count", OneHotEncoder(handle_unknown="ignore"), ["visits"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    return make_pipeline(columns, last)


ESTIMATORS: dict[str, tuple[BaseEstimator, Table, Any]] = {
    "linear": (LinearRegression(), ROWS, TARGET),
    "ridge": (Ridge(), ROWS, TARGET),
    "scaled": (make_pipeline(StandardScaler(), Ridge()), ROWS, TARGET),
    "boosting": (GradientBoostingRegressor(n_estimators=10), ROWS, TARGET),
    "neighbours": (KNeighborsRegressor(3), ROWS, TARGET),
    "forest": (RandomForestClassifier(5, random_state=1), ROWS, COLOURS),
    "logistic": (LogisticRegression(), ROWS, (TARGET > 0).astype(np.int64)),
    "vectors": (SVC(), ROWS, COLOURS),
    "two outputs": (LinearRegression(), ROWS, np.stack([TARGET, -TARGET], axis=1)),
    "two leaves": (DecisionTreeRegressor(), ROWS, np.stack([TARGET, -TARGET], axis=1)),
    "mixed regressor": (mixed(Ridge()), PEOPLE, PEOPLE["age"] * 2 + PEOPLE["visits"]),
    "mixed classifier": (
        mixed(LogisticRegression(max_iter=500)),
        PEOPLE,
        np.where(PEOPLE["city"] == "Oslo", "yes", "no"),
    ),
}


def known(name: str) -> Known:
    """Fits, converts, and proves one of ESTIMATORS."""
    estimator, table, target = ESTIMATORS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow on integer columns, of scikit-learn on SVC
        estimator.fit(table, target)
        used = table[["age", "visits", "city"]] if isinstance(table, pd.DataFrame) else table
        model = convert(estimator, used)
        verify(estimator, model, used)
        frame = used if isinstance(used, pd.DataFrame) else pd.DataFrame(used, columns=list("abc"))
        signature = infer_signature(frame[:1]).to_dict()
    mlmodel = yaml.safe_dump({"signature": signature}).encode()
    return Known(estimator, used, ModelFiles("demo", "3", model.SerializeToString(), mlmodel))


def labels(item: Known) -> list[Any] | None:
    """The classes of a classifier that gives probabilities."""
    has_shares = hasattr(item.estimator, "predict_proba")
    return list(item.estimator.classes_.tolist()) if has_shares else None
