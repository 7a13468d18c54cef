"""A faster form gives the right answers for rows that the proof has not seen, or is not made."""

import os
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import ModelProto
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from training.convert import convert
from training.faster import ConversionError, faster_form, make
from training.proof import MAX_RELATIVE_DIFFERENCE, verify

Case = tuple[BaseEstimator, Any, Any, float, int]


def integers(dtype: type) -> tuple[Any, Any]:
    rows = np.random.default_rng(0).integers(0, 50, (800, 3))
    return rows.astype(dtype), (rows.sum(axis=1) > 70).astype(int)


IRIS, CANCER = load_iris(return_X_y=True), load_breast_cancer(return_X_y=True)
NAMED_IRIS = load_iris(return_X_y=True, as_frame=True)
NAMED_CANCER = load_breast_cancer(return_X_y=True, as_frame=True)
DIABETES = load_diabetes(return_X_y=True)
RAW = load_diabetes(return_X_y=True, scaled=False)


def forest(**options: Any) -> RandomForestClassifier:  # noqa: ANN401
    return RandomForestClassifier(random_state=0, **options)


#: Estimators with a faster form: data, share of held-out rows, seed of the split.
PROVED: dict[str, Case] = {
    **{f"forest, iris, {seed}": (forest(), *IRIS, 0.4, seed) for seed in range(8)},
    **{f"forest, cancer, {seed}": (forest(), *CANCER, 0.4, seed) for seed in range(4)},
    "ties of floats": (forest(n_estimators=10), *integers(np.float64), 0.4, 0),
    "ties of integers": (forest(n_estimators=10), *integers(np.int64), 0.4, 0),
    "iris by name": (forest(), *NAMED_IRIS, 0.4, 0),
    "cancer by name": (
        make_pipeline(
            ColumnTransformer([("scaled", StandardScaler(), ["mean radius", "worst area"])]),
            LogisticRegression(),
        ),
        *NAMED_CANCER,
        0.4,
        0,
    ),
    **{
        f"{type(scaler).__name__}, boosting, {seed}": (
            make_pipeline(scaler, GradientBoostingRegressor(random_state=0)),
            *RAW,
            0.3,
            seed,
        )
        for scaler in (StandardScaler(), MinMaxScaler())
        for seed in range(2)
    },
    "scaled forest": (
        make_pipeline(StandardScaler(), RandomForestRegressor(30, random_state=0)),
        *DIABETES,
        0.3,
        1,
    ),
    "histograms": (HistGradientBoostingRegressor(max_iter=50), *DIABETES, 0.3, 1),
    "scaled histograms": (
        make_pipeline(StandardScaler(), HistGradientBoostingRegressor(max_iter=50)),
        *DIABETES,
        0.3,
        1,
    ),
    "boosting labels": (GradientBoostingClassifier(random_state=0), *IRIS, 0.4, 0),
    "extra trees": (ExtraTreesClassifier(random_state=0), *IRIS, 0.4, 0),
    "tree": (DecisionTreeClassifier(random_state=0), *CANCER, 0.4, 0),
    "linear": (LinearRegression(), *DIABETES, 0.3, 1),
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), *CANCER, 0.4, 0),
}

#: Estimators without: the reason.
NOT_PROVED: dict[str, tuple[Case, str]] = {
    # The converter makes float32 numbers of its thresholds.
    "histogram labels": (
        (HistGradientBoostingClassifier(max_iter=10), *CANCER, 0.4, 0),
        "labels differ",
    ),
    "neighbours": ((KNeighborsRegressor(), *DIABETES, 0.3, 1), "predictions differ"),
    "neighbours' votes": ((KNeighborsClassifier(), *IRIS, 0.4, 0), "labels differ"),
    "vectors": (
        (SVC(probability=True, random_state=0), *IRIS, 0.4, 0),
        "probabilities differ",
    ),
}


def split(case: Case) -> tuple[BaseEstimator, Any, Any]:
    """The fitted estimator, its training rows, and held-out rows."""
    estimator, rows, target, share, seed = case
    seen, unseen, known, _ = train_test_split(rows, target, test_size=share, random_state=seed)
    return estimator.fit(seen, known), seen, unseen


@pytest.mark.parametrize("name", PROVED)
def test_a_faster_form_is_right_on_rows_that_the_proof_has_not_seen(name: str) -> None:
    estimator, seen, unseen = split(PROVED[name])
    made = make(estimator, seen)
    assert made.difference <= MAX_RELATIVE_DIFFERENCE
    assert made.proof.startswith(f"compared on {len(seen):,} of {len(seen):,} given rows, ")
    assert verify(estimator, ModelProto.FromString(made.onnx), unseen) <= MAX_RELATIVE_DIFFERENCE
    assert (made.linear is not None) == (name == "linear")


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.parametrize("name", NOT_PROVED)
def test_what_is_not_exact_has_no_faster_form(name: str) -> None:
    case, said = NOT_PROVED[name]
    estimator, seen, _ = split(case)
    with pytest.raises(ConversionError, match=said):
        make(estimator, seen)


def test_a_graph_that_takes_much_memory_is_refused() -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 20))
    estimator = KNeighborsRegressor().fit(rows, rows[:, 0])
    with pytest.raises(ConversionError, match=r"takes \d{3} MiB of memory for 1,000 rows; 64 MiB"):
        verify(estimator, convert(estimator, rows), rows[:50])


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer(), CountVectorizer()])
def test_text_has_a_faster_form_only_where_its_locale_exists(vectorizer: BaseEstimator) -> None:
    table = pd.DataFrame({"text": ["the red house", "a Blue car", "red cars", "houses"] * 5})
    columns = ColumnTransformer([("words", vectorizer, "text")])
    estimator = make_pipeline(columns, LogisticRegression()).fit(table, [0, 1, 1, 0] * 5)
    try:
        made = make(estimator, table)
    except ConversionError as error:
        assert "differ" in str(error) or "en_US.UTF-8" in str(error)
    else:
        assert verify(estimator, ModelProto.FromString(made.onnx), table) <= 1e-6


@pytest.mark.parametrize(
    ("estimator", "exact"),
    [
        (HistGradientBoostingRegressor(max_iter=10), True),
        (HistGradientBoostingClassifier(max_iter=5), False),
        # ONNX has this operator only in float32.
        (make_pipeline(SimpleImputer(), LinearRegression()), False),
    ],
)
def test_missing_values(estimator: BaseEstimator, exact: bool) -> None:
    rows, target = DIABETES
    rows = np.where(np.random.default_rng(0).random(rows.shape) < 0.1, np.nan, rows)
    labels = target > 140 if hasattr(estimator, "predict_proba") else target
    estimator, seen, unseen = split((estimator, rows, labels, 0.3, 0))
    if exact:
        made = make(estimator, seen)
        difference = verify(estimator, ModelProto.FromString(made.onnx), unseen)
        assert difference <= MAX_RELATIVE_DIFFERENCE
    else:
        with pytest.raises(ConversionError, match="differ"):
            make(estimator, seen)


def test_categories_are_proved_too() -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"home city": random.choice(["Bern", "Oslo"], 300), "age": random.uniform(18, 90, 300)}
    )
    columns = ColumnTransformer(
        [("text", OneHotEncoder(handle_unknown="ignore"), ["home city"])], remainder="passthrough"
    )
    target = table["age"] * 2 + (table["home city"] == "Oslo")
    estimator = make_pipeline(columns, Ridge())
    estimator, seen, unseen = split((estimator, table, target, 0.3, 0))
    made = make(estimator, seen)
    elsewhere = unseen.assign(**{"home city": "elsewhere"})
    for rows in (unseen, elsewhere):
        assert verify(estimator, ModelProto.FromString(made.onnx), rows) <= MAX_RELATIVE_DIFFERENCE


def test_a_conversion_that_never_ends_is_ended() -> None:
    rows = np.array([[np.nan], [1.0], [np.nan], [2.0], [np.nan], [3.0], [np.nan], [4.0]])
    estimator = DecisionTreeClassifier(random_state=0).fit(rows, np.isnan(rows[:, 0]))
    started = time.monotonic()
    with pytest.raises(ConversionError, match="take more than 3 s"):
        faster_form(estimator, rows, limit=3)
    assert time.monotonic() - started < 10


class Doubled(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that no other process can import, and no converter knows."""

    def fit(self, rows: Any, target: Any) -> "Doubled":  # noqa: ANN401
        self.fitted_ = bool(len(rows) and len(target))
        return self

    def predict(self, rows: Any) -> Any:  # noqa: ANN401
        return np.asarray(rows)[:, 0] * 2


class Ended(Doubled):
    """One that ends the process that makes its faster form."""

    def __setstate__(self, state: object) -> None:
        os._exit(7)


def test_the_other_process_says_why_there_is_none() -> None:
    rows, target = DIABETES
    with pytest.raises(ConversionError, match=r"^Doubled: in float64 it cannot be converted \("):
        faster_form(Doubled().fit(rows, target), rows)
    with pytest.raises(ConversionError, match="ended with exit code 7"):
        faster_form(Ended().fit(rows, target), rows)
    with pytest.raises(ConversionError, match="IndexError"):
        faster_form(LinearRegression().fit(rows, target), rows[:, 0])


def test_the_other_process_gives_the_same_as_this() -> None:
    rows, target = DIABETES
    estimator = LinearRegression().fit(rows, target)
    assert faster_form(estimator, rows) == make(estimator, rows)


def test_a_form_that_is_much_larger_than_the_model_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training.faster._ALWAYS_ALLOWED", 10)
    monkeypatch.setattr("training.faster._MAX_GROWTH", 0.1)
    estimator, seen, _ = split(PROVED["tree"])
    with pytest.raises(ConversionError, match=r"has [0-9,]+ bytes, more than [0-9,]+"):
        make(estimator, seen)
