"""Measures logged models on rows that training did not see."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.pyfunc import PyFuncModel
from mlflow.types import DataType, Schema
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer, get_scorer_names

from training.data import TARGET
from training.gate import Score
from training.settings import SettingsError

#: A longer reason, which may be a library's, is cut.
_MAX_PROBLEM = 300

_NUMBERS: dict[Any, str] = {DataType.double: "float64", DataType.float: "float32"}


@dataclass(frozen=True)
class Holdout:
    """Rows with the values to predict in the column `target`."""

    table: pd.DataFrame
    #: What it is called in messages and in MLflow.
    name: str
    source: str
    target: str = TARGET
    sha256: str | None = None


def check_metric(name: str) -> None:
    """Raises SettingsError for a metric that scikit-learn does not have."""
    known = get_scorer_names()
    if name not in known:
        raise SettingsError(f"GATE: metric {name!r} is unknown; the known ones are {known}")


def read_holdout(folder: Path, data: str, target: str | None) -> Holdout:
    """Reads the rows of a gate, a CSV file in the data volume; raises SettingsError.

    Without `target` the column is `target`.
    """
    path = folder / data
    try:
        content = path.read_bytes()
        table = pd.read_csv(io.BytesIO(content))
    except OSError as error:
        raise SettingsError(f"GATE: data {path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # of pandas, and for text that is not UTF-8
        raise SettingsError(f"GATE: data {path}: is not a CSV file: {error}") from error
    column = target or TARGET
    if column not in table:
        raise SettingsError(
            f"GATE: data {path}: has no column {column!r}, only {table.columns.tolist()}; "
            "set the gate's target to the column with the values to predict"
        )
    if table.empty:
        raise SettingsError(f"GATE: data {path}: has no rows")
    return Holdout(table, data, str(path), column, hashlib.sha256(content).hexdigest())


def score(model_uri: str, metric: str, holdout: Holdout) -> Score:
    """A metric of scikit-learn, computed with the logged model's own predictions."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on names of columns, if it was fitted without
            loaded = mlflow.pyfunc.load_model(model_uri)
            rows = _inputs(holdout, loaded.metadata.get_input_schema())
            value = get_scorer(metric)(_estimator(loaded), rows, holdout.table[holdout.target])
            return Score(float(value))
    except Exception as error:  # of any library; the model may need other columns, or another task
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_PROBLEM]
        return Score(None, f"unknown, as it cannot be measured on {holdout.name} ({problem})")


def _inputs(holdout: Holdout, schema: Schema | None) -> Any:  # noqa: ANN401
    """The columns of the model, in its types, or all columns except for the target."""
    if schema is None or not schema.has_input_names():
        rows = holdout.table.drop(columns=holdout.target)
        return rows if schema is None else rows.to_numpy()
    kinds = schema.input_dict()
    missing = [name for name in schema.required_input_names() if name not in holdout.table]
    if missing:
        raise KeyError(f"there are no columns {missing}")
    rows = holdout.table.reindex(columns=list(kinds))
    return rows.astype(
        {name: _NUMBERS[spec.type] for name, spec in kinds.items() if spec.type in _NUMBERS}
    )


def _estimator(loaded: PyFuncModel) -> BaseEstimator:
    try:
        raw = loaded.get_raw_model()  # type: ignore[no-untyped-call]
    except NotImplementedError:
        raw = None
    return raw if isinstance(raw, BaseEstimator) else _Function(loaded)


class _Function(BaseEstimator):  # type: ignore[misc]
    """Any other model, for scikit-learn's metrics."""

    def __init__(self, model: PyFuncModel) -> None:
        self.model = model

    def predict(self, rows: Any) -> Any:  # noqa: ANN401
        """MLflow's predictions."""
        return self.model.predict(rows)
