"""The model that a script has made is found, or the error says what to do."""

import pickle
import re
import weakref
from pathlib import Path
from typing import Any

import joblib
import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.found import Found, ModelError, Traces, find, rows_of
from training.observe import Fit, Observed

TABLE, TARGET = load_diabetes(return_X_y=True, as_frame=True)


@pytest.fixture
def traces(tracking_uri: str, tmp_path: Path) -> Traces:
    """Of a script that has done nothing yet."""
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("found")
    with mlflow.start_run() as run:
        return Traces(Observed(), {}, tmp_path, run.info.run_id)


def fitted(traces: Traces, estimator: BaseEstimator, rows: Any = TABLE) -> BaseEstimator:  # noqa: ANN401
    estimator.fit(rows, TARGET)
    traces.seen.fits.append(Fit(weakref.ref(estimator), rows, TARGET))
    return estimator


def wrote(traces: Traces, name: str, content: object, dump: Any = joblib.dump) -> None:  # noqa: ANN401
    file = traces.folder / name
    with file.open("wb") as stream:
        dump(content, stream)
    traces.seen.written[file] = None


def refused(traces: Traces, wanted: str | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        find(traces, wanted)
    return str(caught.value)


def test_nothing(traces: Traces) -> None:
    wrote(traces, "scaler.joblib", fitted(traces, StandardScaler()))
    wrote(traces, "columns.pkl", list(TABLE), pickle.dump)
    traces.seen.written[traces.folder / "deleted.pkl"] = None
    traces.variables.update(unfitted=Ridge(), kind=Ridge, number=3)
    assert refused(traces) == (
        "the script has made no model; it needs a model that it logs with MLflow, a fitted "
        "scikit-learn estimator that it writes to a file (*.joblib, *.pkl, *.pickle), or one in a "
        "variable of the script"
    )


def test_a_file_is_preferred_to_variables(traces: Traces) -> None:
    model = fitted(traces, Ridge())
    traces.variables.update(model=model, other=fitted(traces, Lasso()))
    wrote(traces, "model.joblib", model)
    found = find(traces, None)
    assert (found.name, found.model_id) == ("model.joblib", None)
    assert isinstance(found.estimator, Ridge)
    assert found.estimator.coef_.tolist() == model.coef_.tolist()
    assert rows_of(found, traces.seen) is TABLE


def test_a_broken_file_is_reported(traces: Traces, capsys: pytest.CaptureFixture[str]) -> None:
    traces.variables["model"] = fitted(traces, Ridge())
    (traces.folder / "model.pkl").write_bytes(b"\x80\x04")
    traces.seen.written[traces.folder / "model.pkl"] = None
    assert find(traces, None).name == "model"
    assert "training: model.pkl cannot be read: " in capsys.readouterr().out


def test_several_files(traces: Traces) -> None:
    for kind in (Ridge, Lasso):
        wrote(traces, f"{kind.__name__}.pkl", fitted(traces, kind()), pickle.dump)
    traces.variables["model"] = fitted(traces, LinearRegression())
    assert refused(traces) == (
        "the script has made several models: ['Ridge.pkl', 'Lasso.pkl']; "
        "set MODEL_FILE to the name of one, which must differ from the others"
    )
    assert isinstance(find(traces, "Lasso.pkl").estimator, Lasso)
    assert find(traces, "model").estimator is traces.variables["model"]
    assert refused(traces, "nothing.pkl") == (
        "MODEL_FILE is 'nothing.pkl', but the script has made only "
        "['Ridge.pkl', 'Lasso.pkl', 'model']"
    )


def test_a_part_of_a_variable_is_not_a_model_of_its_own(traces: Traces) -> None:
    last = Ridge()
    search = fitted(traces, GridSearchCV(make_pipeline(StandardScaler(), last), {}))
    pipeline = search.best_estimator_
    traces.variables.update(
        search=search, same=search, best=pipeline, last=pipeline[-1], scaler=pipeline[0]
    )
    assert find(traces, None).estimator is search


def test_a_search_from_a_file_is_the_one_that_was_fitted(traces: Traces) -> None:
    kept = [fitted(traces, GridSearchCV(Ridge(), {"alpha": [1, a]}), TABLE * a) for a in (2, 3)]
    wrote(traces, "search.pkl", kept[0], pickle.dump)
    rows = rows_of(find(traces, None), traces.seen)
    assert isinstance(rows, pd.DataFrame)
    assert rows.equals(TABLE * 2)


def test_a_pipeline_of_fitted_steps_has_the_rows_of_its_first_step(traces: Traces) -> None:
    scaler = fitted(traces, StandardScaler())
    model = fitted(traces, Ridge(), scaler.transform(TABLE))
    traces.variables["model"] = make_pipeline(scaler, model)
    assert rows_of(find(traces, None), traces.seen) is TABLE


def test_a_model_that_was_logged_is_preferred(traces: Traces) -> None:
    model = fitted(traces, Ridge())
    wrote(traces, "model.joblib", model)
    with mlflow.start_run(run_id=traces.run_id):
        info = mlflow.sklearn.log_model(model, name="mine", pip_requirements=["mlflow"])
    assert find(traces, None) == Found("mine", info.model_id, traces.run_id)
    # Only autologging has logged it.
    traces.seen.autologged.append(info.model_id)
    assert find(traces, None).name == "model.joblib"
    # It is reused.
    traces.seen.fits[0].model_id = info.model_id
    assert find(traces, None) == Found("model.joblib", info.model_id, traces.run_id)
    del traces.seen.written[traces.folder / "model.joblib"]
    assert find(traces, None) == Found("mine", info.model_id, traces.run_id)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (None, "model: the script has not fitted this Ridge; log the model in the script"),
        (TABLE["bmi"], "model: this Ridge was fitted on a Series, which is neither a table nor"),
    ],
)
def test_unknown_rows(rows: Any, said: str, traces: Traces) -> None:  # noqa: ANN401
    model = Ridge().fit(TABLE, TARGET)
    if rows is not None:
        traces.seen.fits.append(Fit(weakref.ref(model), rows, TARGET))
    with pytest.raises(ModelError, match=f"^{re.escape(said)}"):
        rows_of(Found("model", estimator=model), traces.seen)


def test_lists_are_arrays(traces: Traces) -> None:
    model = fitted(traces, Ridge(), TABLE.to_numpy().tolist())
    rows = rows_of(Found("model", estimator=model), traces.seen)
    assert isinstance(rows, np.ndarray)
    assert rows.tolist() == TABLE.to_numpy().tolist()
