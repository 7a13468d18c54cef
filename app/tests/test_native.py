"""Models as they were logged: each answer equals that of the model itself, to the last bit."""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
import sklearn
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
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from serving.endpoint import InvalidInput
from serving.errors import ModelUnavailable, Reason
from serving.models import serve
from serving.models.choice import model_of
from serving.options import Options
from tests.files import ModelFolder
from tests.support import APP, environment, serving

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


def _wait(rows: Any) -> Any:  # noqa: ANN401
    time.sleep(0.1)
    return rows


def _day_of_year(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"day": table["day"].dt.day_of_year, "n": table["n"]})


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


def saved(folder: Path, model: Any, rows: Any, **changed: Any) -> ModelFolder:  # noqa: ANN401
    """The model as `mlflow.sklearn.log_model` logs it from a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"signature": infer_signature(rows, model.predict(rows)), **changed}
        mlflow.sklearn.save_model(model, str(folder), serialization_format="cloudpickle", **options)
    return ModelFolder(folder)


def plain(rows: Any) -> list[Any]:  # noqa: ANN401
    """Rows as JSON, with null for a missing value."""
    table = pd.DataFrame(rows).astype(object)
    values: list[Any] = table.where(table.notna(), None).to_numpy().tolist()
    return values


def ask(found: ModelFolder, body: object, **options: Any) -> Any:  # noqa: ANN401
    model = model_of(found, Options(**options))
    endpoints = serve("demo", "3", model, 1000).endpoints
    return json.loads(endpoints["/predict"].handle(json.dumps(body).encode()))


@pytest.mark.parametrize("name", MODELS)
def test_held_out_rows_equal_the_model_to_the_last_bit(name: str, tmp_path: Path) -> None:
    model, rows, target = MODELS[name]
    train, held_out, labels, _ = train_test_split(rows, target, test_size=0.4, random_state=0)
    model.fit(train, labels)
    answer = ask(saved(tmp_path / "model", model, train), {"features": plain(held_out)})
    assert answer["prediction"] == model.predict(held_out).tolist()
    if hasattr(model, "predict_proba"):
        assert answer["probabilities"] == model.predict_proba(held_out).tolist()
        assert answer["classes"] == model.classes_.tolist()


def test_a_model_of_a_notebook_is_served_by_another_process(
    tracking_uri: str, tmp_path: Path
) -> None:
    model = of_people(RandomForestClassifier(random_state=0)).fit(PEOPLE[:300], ADULT[:300])
    held_out = PEOPLE[300:]
    mlflow.set_tracking_uri(tracking_uri)
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name="native",
            signature=infer_signature(PEOPLE, model.predict(PEOPLE)),
            serialization_format="cloudpickle",
        )
    variables = {"MODEL_NAME": "native", "MODEL_VERSION": "1", "MLFLOW_TRACKING_URI": tracking_uri}
    with serving(tmp_path, **variables) as service:
        service.wait_for("/readyz", seconds=60)
        answer = service.client.post("/predict", json={"features": plain(held_out)}, timeout=30)
        assert answer.json()["probabilities"] == model.predict_proba(held_out).tolist()
        records = [{"home city": "Oslo", "visits": 3}, {"age": 40.5, "visits": 1}]
        by_name = service.client.post("/predict", json={"features": records}).json()
        assert (
            by_name["prediction"]
            == model.predict(pd.DataFrame(records, columns=PEOPLE.columns)).tolist()
        )
        line = service.wait_for_log(event="model loaded")
        assert line["served_as"] == "mlflow:sklearn"
        assert line["why"].startswith("no faster form was registered")
        assert 'served_as="mlflow:sklearn"' in service.client.get("/metrics").text
        assert service.client.get("/docs").status_code == 200
        assert service.stop() == 0


def test_probes_are_answered_while_a_model_computes(tmp_path: Path, tracking_uri: str) -> None:
    slow = FunctionTransformer(_wait)
    model = make_pipeline(slow, KNeighborsClassifier()).fit(*IRIS)
    mlflow.set_tracking_uri(tracking_uri)
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name="slow",
            signature=infer_signature(IRIS[0]),
            serialization_format="cloudpickle",
        )
    variables = {"MODEL_NAME": "slow", "MODEL_VERSION": "1", "MLFLOW_TRACKING_URI": tracking_uri}
    with serving(tmp_path, **variables) as service:
        service.wait_for("/readyz", seconds=60)
        with ThreadPoolExecutor(2) as pool:
            body = {"features": IRIS[0][:1].tolist()}
            answers = [pool.submit(httpx.post, f"{service.url}/predict", json=body) for _ in "12"]
            probes = 0
            while not all(answer.done() for answer in answers):
                probes += service.status("/healthz") == 200
            assert [answer.result().status_code for answer in answers] == [200] * 2
        assert probes > 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [([None, *[0.1] * 9], "missing_value"), ([True] * 10, "wrong_type"), ([1.0] * 9, "feature_")],
)
def test_input_that_the_model_refuses(row: list[Any], reason: str, tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(DIABETES[0], DIABETES[1] > 140)
    with pytest.raises(InvalidInput, match=reason):
        ask(saved(tmp_path / "model", model, DIABETES[0]), {"features": row})


def test_a_category_that_the_model_refuses(tmp_path: Path) -> None:
    table = PEOPLE[["home city"]].dropna()
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(
        table, table["home city"] == "Oslo"
    )
    found = saved(tmp_path / "model", model, table)
    with pytest.raises(InvalidInput, match="unknown_category"):
        ask(found, {"features": ["Atlantis"]})


def test_dates(tmp_path: Path) -> None:
    days = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=40), "n": range(40)})
    year = FunctionTransformer(_day_of_year)
    model = make_pipeline(year, LogisticRegression()).fit(days, days["n"] > 20)
    found = saved(tmp_path / "model", model, days)
    rows = [[day.isoformat(), n] for day, n in zip(days["day"], days["n"], strict=True)]
    assert ask(found, {"features": rows})["prediction"] == model.predict(days).tolist()
    with pytest.raises(InvalidInput, match="wrong_type"):
        ask(found, {"features": ["yesterday", 1]})


def test_a_model_without_a_signature_is_served_by_position(tmp_path: Path) -> None:
    model = RandomForestClassifier(5).fit(*IRIS)
    found = saved(tmp_path / "model", model, IRIS[0], signature=None)
    answer = ask(found, {"features": IRIS[0][:5].tolist()})
    assert answer["probabilities"] == model.predict_proba(IRIS[0][:5]).tolist()


def failure(found: ModelFolder, **options: Any) -> tuple[Reason, str]:  # noqa: ANN401
    with pytest.raises(ModelUnavailable) as caught:
        model_of(found, Options(**options))
    return caught.value.reason, str(caught.value)


@pytest.fixture
def forest(tmp_path: Path) -> ModelFolder:
    return saved(tmp_path / "model", RandomForestClassifier(3).fit(*IRIS), IRIS[0])


def test_a_library_that_is_missing(forest: ModelFolder) -> None:
    file = forest.folder / "MLmodel"
    file.write_text(
        file.read_text().replace("sklearn:", "fastai:").replace("mlflow.sklearn", "gone")
    )
    reason, message = failure(forest)
    assert reason == Reason.MODEL_UNSUPPORTED
    assert "the flavours python_function, fastai and needs the library gone" in message
    assert "build the serving image with the model's requirements.txt" in message


def test_other_versions_of_the_libraries(
    forest: ModelFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (forest.folder / "requirements.txt").write_text("mlflow==1.0\nscikit-learn==0.1\nnone==2\n")
    model_of(forest)
    [record] = [it for it in caplog.records if it.getMessage() == "libraries differ"]
    assert (
        f"scikit-learn {sklearn.__version__} (the model has 0.1), none missing"
        in vars(record)["detail"]
    )
    reason, message = failure(forest, strict_libraries=True)
    assert reason == Reason.MODEL_UNSUPPORTED
    assert "none missing (the model has 2)" in message


def test_a_corrupt_model(
    forest: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (forest.folder / "model.pkl").write_bytes(b"garbage")
    reason, message = failure(forest)
    assert reason == Reason.MODEL_CORRUPT
    assert "with the flavours python_function, sklearn cannot be loaded: " in message
    assert not list(tmp_path.glob("model-*"))


def test_the_runtime_onnx_needs_an_onnx_file(forest: ModelFolder) -> None:
    reason, message = failure(forest, runtime="onnx")
    assert reason == Reason.MODEL_UNSUPPORTED
    assert "has the flavours python_function, sklearn, and RUNTIME is onnx" in message


def test_distances_to_all_training_rows_fit_into_the_container(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{512 * 2**20}\n")
    program = f"""
import numpy as np
from serving import registered
from serving.models.choice import set_up_libraries
registered.MEMORY_LIMITS = ({str(limit)!r},)
set_up_libraries()
from sklearn.neighbors import KNeighborsRegressor
from training.memory import peak_of
rows = np.random.default_rng(0).normal(size=(60_000, 4))
model = KNeighborsRegressor(metric="cosine").fit(rows, rows[:, 0])
print(peak_of(lambda: model.predict(rows[:1000])))
"""
    command = [sys.executable, "-c", program]
    output = subprocess.run(
        command, cwd=APP, env=environment(tmp_path), capture_output=True, check=True, text=True
    ).stdout
    assert 0 < int(output) < 512 * 2**20 // 2
