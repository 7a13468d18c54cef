"""Models as they were logged: each answer equals that of the model itself, to the last bit."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from tests.support import Serving, serving

RANDOM = np.random.default_rng(11)


def people(count: int) -> pd.DataFrame:
    """Texts and numbers with missing values, and names that are no identifiers."""
    table = pd.DataFrame(
        {
            "home city": RANDOM.choice(["Bern", "Oslo", "Rome"], count),
            "age": RANDOM.uniform(18, 90, count),
            "visits": RANDOM.integers(0, 9, count),
        }
    )
    table.loc[RANDOM.random(count) < 0.1, "age"] = np.nan
    table.loc[RANDOM.random(count) < 0.1, "home city"] = np.nan
    return table


def of_people(last: BaseEstimator) -> BaseEstimator:
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [("texts", texts, ["home city"]), ("numbers", numbers, ["age", "visits"])]
    )
    return make_pipeline(columns, last)


DIABETES = load_diabetes(return_X_y=True)
IRIS = load_iris(return_X_y=True)
IRIS_TABLE = load_iris(return_X_y=True, as_frame=True)
CANCER = load_breast_cancer(return_X_y=True)
PEOPLE = people(400)
ADULT = np.where(PEOPLE["age"].fillna(50) + PEOPLE["visits"] > 55, "yes", "no")
GAPS = np.where(RANDOM.random(DIABETES[0].shape) < 0.1, np.nan, DIABETES[0])
TEXTS = np.array(["good film", "bad film", "what a good day", "a bad, bad day"] * 20, dtype=object)
VOTES = RANDOM.integers(0, 50, (800, 3))

MODELS: dict[str, tuple[BaseEstimator, Any, Any]] = {
    "forest": (RandomForestClassifier(random_state=0), *IRIS),
    "forest of a table": (RandomForestClassifier(random_state=0), *IRIS_TABLE),
    "votes": (RandomForestClassifier(10, random_state=0), VOTES, VOTES.sum(axis=1) > 70),
    "strings and gaps": (of_people(RandomForestClassifier(random_state=0)), PEOPLE, ADULT),
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), *CANCER),
    "scaled boosting": (make_pipeline(MinMaxScaler(), GradientBoostingRegressor()), *DIABETES),
    "scaled forest": (make_pipeline(StandardScaler(), RandomForestRegressor(20)), *DIABETES),
    "histograms": (HistGradientBoostingRegressor(max_iter=50), *DIABETES),
    "histograms with gaps": (HistGradientBoostingRegressor(max_iter=50), GAPS, DIABETES[1]),
    "labels with gaps": (HistGradientBoostingClassifier(), GAPS, DIABETES[1] > 140),
    "neighbours": (KNeighborsClassifier(), *IRIS),
    "vectors": (SVC(), *IRIS),
    "tfidf": (make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, TEXTS[0] == TEXTS),
    "counts": (make_pipeline(CountVectorizer(), LogisticRegression()), TEXTS, TEXTS[1] == TEXTS),
}


def register(tracking_uri: str, name: str, model: BaseEstimator, rows: Any) -> None:  # noqa: ANN401
    """As from a notebook: with a signature and an example."""
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("native")
    with warnings.catch_warnings(), mlflow.start_run():
        warnings.simplefilter("ignore")
        signature = infer_signature(rows, model.predict(rows))
        mlflow.sklearn.log_model(
            model, name="model", registered_model_name=name, signature=signature
        )


@contextmanager
def served(home: Path, tracking_uri: str, name: str, **variables: str) -> Iterator[Serving]:
    variables = {"MODEL_NAME": name, "MODEL_VERSION": "1", **variables}
    with serving(home, **variables, MLFLOW_TRACKING_URI=tracking_uri) as service:
        yield service


def plain(rows: Any) -> list[Any]:  # noqa: ANN401
    """Rows as JSON, with null for a missing value."""
    table = pd.DataFrame(rows).astype(object)
    values: list[Any] = table.where(table.notna(), None).to_numpy().tolist()
    return values


@pytest.mark.parametrize("name", MODELS)
def test_held_out_rows_equal_the_model_to_the_last_bit(
    name: str, tracking_uri: str, tmp_path: Path
) -> None:
    model, rows, target = MODELS[name]
    train, held_out, labels, _ = train_test_split(rows, target, test_size=0.4, random_state=0)
    model.fit(train, labels)
    registered = f"native {name}"
    register(tracking_uri, registered, model, train)
    with served(tmp_path, tracking_uri, registered) as service:
        service.wait_for("/readyz", seconds=60)
        answer = service.client.post("/predict", json={"features": plain(held_out)}, timeout=60)
        assert answer.status_code == 200, (answer.text, answer.headers, service.log())
        predicted = answer.json()
        assert predicted["prediction"] == model.predict(held_out).tolist()
        if hasattr(model, "predict_proba"):
            assert predicted["probabilities"] == model.predict_proba(held_out).tolist()
            assert predicted["classes"] == model.classes_.tolist()
        assert service.wait_for_log(event="model loaded")["served_as"] == "mlflow:sklearn"
        assert service.client.get("/docs").status_code == 200
        assert service.stop() == 0
