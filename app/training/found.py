"""Finds the model that a script has made."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelStatus
from mlflow.tracking import MlflowClient
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from training.failure import JobError
from training.observe import Observed
from training.rows import Table

_SUFFIXES = (".joblib", ".pkl", ".pickle")

_LOOKED_FOR = (
    "a model that it logs with MLflow, a fitted scikit-learn estimator that it writes to a file "
    f"({', '.join(f'*{suffix}' for suffix in _SUFFIXES)}), or one in a variable of the script"
)


class ModelError(JobError):
    """The model of a script cannot be found or logged; the message says why, and what to do."""


@dataclass(frozen=True)
class Found:
    """A model: logged, with its id, or an estimator."""

    name: str
    model_id: str | None = None
    run_id: str | None = None
    estimator: BaseEstimator | None = None


@dataclass(frozen=True)
class Traces:
    """What a script has left behind."""

    seen: Observed
    variables: dict[str, object]
    #: The folder in which it ran.
    folder: Path
    #: The run of the job.
    run_id: str


def find(traces: Traces, wanted: str | None) -> Found:
    """The only model of the first kind that the script has made, or the one with a name.

    Models that the script has logged are preferred to those in files, these to variables, and
    these to models that only autologging has logged. Raises ModelError.
    """
    kinds = (_logged, _files, _variables, _autologged)
    if wanted is None:
        found = next(filter(None, (list(kind(traces)) for kind in kinds)), [])
    else:
        every = [model for kind in kinds for model in kind(traces)]
        found = [model for model in every if model.name == wanted]
        if not found:
            names = [model.name for model in every]
            raise ModelError(f"MODEL_FILE is {wanted!r}, but the script has made only {names}")
    if not found:
        raise ModelError(f"the script has made no model; it needs {_LOOKED_FOR}")
    if len(found) > 1:
        names = [model.name for model in found]
        raise ModelError(
            f"the script has made several models: {names}; "
            "set MODEL_FILE to the name of one, which must differ from the others"
        )
    return found[0]


def _logged(traces: Traces) -> Iterator[Found]:
    """Models that the script has logged itself."""
    for model in _models(traces):
        if model.model_id not in traces.seen.autologged:
            yield model


def _autologged(traces: Traces) -> Iterator[Found]:
    for model in _models(traces):
        if model.model_id in traces.seen.autologged:
            yield model


def _models(traces: Traces) -> Iterator[Found]:
    job = MlflowClient().get_run(traces.run_id)
    for run in {run.info.run_id: run for run in (job, *traces.seen.runs)}.values():
        for model in mlflow.search_logged_models(
            experiment_ids=[run.info.experiment_id],
            filter_string=f"source_run_id = '{run.info.run_id}'",
            output_format="list",
        ):
            if model.status == LoggedModelStatus.READY:
                yield Found(model.name, model.model_id, run.info.run_id)


def _files(traces: Traces) -> Iterator[Found]:
    for file in traces.seen.written:
        if file.suffix in _SUFFIXES and file.is_file():
            inside = file.is_relative_to(traces.folder)
            name = str(file.relative_to(traces.folder) if inside else file)
            try:
                content = joblib.load(file)
            except Exception as error:  # of any library: the file need not be a model
                print(f"training: {name} cannot be read: {type(error).__name__}: {error}")
                continue
            if _is_model(content):
                yield _of(traces, name, content)


def _variables(traces: Traces) -> Iterator[Found]:
    found = {id(value): name for name, value in traces.variables.items() if _is_model(value)}
    for name in found.values():
        estimator = traces.variables[name]
        others = (traces.variables[other] for other in found.values() if other != name)
        if not any(estimator in _parts(other) for other in others):
            yield _of(traces, name, estimator)


def _parts(estimator: BaseEstimator) -> list[object]:
    """The estimators in a pipeline or a search."""
    return [*estimator.get_params().values(), getattr(estimator, "best_estimator_", None)]


def _of(traces: Traces, name: str, estimator: BaseEstimator) -> Found:
    fit = traces.seen.fit_of(estimator)
    if fit and fit.model_id:
        run_id = MlflowClient().get_logged_model(fit.model_id).source_run_id
        return Found(name, fit.model_id, run_id)
    return Found(name, estimator=estimator)


def _is_model(value: object) -> bool:
    if isinstance(value, type) or not isinstance(value, BaseEstimator):
        return False
    try:
        check_is_fitted(value)
    except (NotFittedError, TypeError):
        return False
    return hasattr(value, "predict")


def rows_of(model: Found, seen: Observed) -> Table:
    """The rows that an estimator was fitted on; raises ModelError."""
    kind = type(model.estimator).__name__
    advice = "log the model in the script, with mlflow.sklearn.log_model and its input_example"
    fit = seen.fit_of(model.estimator)
    if fit is None:
        raise ModelError(f"{model.name}: the script has not fitted this {kind}; {advice}")
    rows = np.asarray(fit.features) if isinstance(fit.features, list) else fit.features
    if isinstance(rows, pd.DataFrame) or (isinstance(rows, np.ndarray) and rows.ndim == 2):
        return rows
    raise ModelError(
        f"{model.name}: this {kind} was fitted on a {type(fit.features).__name__}, which is "
        f"neither a table nor an array of two dimensions; {advice}"
    )
