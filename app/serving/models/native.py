"""Models as they were logged: in the flavour, and with the libraries, that MLflow recorded."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd

from serving.endpoint import InvalidInput
from serving.models.arrays import SAMPLES, array_of
from serving.models.model import Answer
from serving.models.native_outputs import entries, output_of
from serving.models.rows import Rows
from serving.models.signature import Column, Kind, Signature, Unsupported, unnamed

#: Flavours whose models may be scikit-learn estimators, which also have probabilities.
_ESTIMATORS = ("sklearn", "xgboost", "lightgbm", "catboost")

#: pandas' types of MLflow's.
_DTYPES = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
    "string": "str",
    "str": "str",
}

#: How scikit-learn's messages for a category that an encoder refuses begin.
_UNKNOWN_CATEGORY = ("Found unknown categories", "y contains previously unseen labels")


class NativeModel:
    """A model that MLflow loads; its predictions are those of the model's own `predict`."""

    why: str | None = None
    slow = True
    library_differences = 0

    def __init__(self, folder: Path, flavors: tuple[str, ...], signature: Signature | None) -> None:
        """Loads the model, and predicts one row, so that the first request is not slower.

        Raises Unsupported for a model whose columns are not known, and the exceptions of the
        model's library if it cannot be loaded.
        """
        flavor, model = _load(folder, flavors)
        self.served_as = f"mlflow:{flavor}"
        signature = signature or _signature_of(model)
        # Whether a number may be missing depends on the model: many handle NaN.
        self.signature = signature.with_nullable(
            lambda column: column.nullable or column.kind is Kind.NUMBER
        )
        self._input = _input_of(model, self.signature)
        self._predict: Callable[[Any], Any] = model.predict
        classes = getattr(model, "classes_", None)
        self._shares: Callable[[Any], Any] | None = None
        if isinstance(classes, np.ndarray) and hasattr(model, "predict_proba"):
            self._shares = model.predict_proba
        labels = tuple(classes.tolist()) if self._shares and classes is not None else None
        self.output = output_of(self._first(folder), labels)

    def predict(self, rows: Rows) -> Answer:
        """Predicts rows that match the signature; raises InvalidInput if the model refuses one.

        The reason is `unknown_category`, or `missing_value` for a value that must not be missing.
        """
        table = self._input(rows)
        try:
            return self._answer(table, len(rows))
        except Exception as error:  # each library has its own
            if str(error).startswith(_UNKNOWN_CATEGORY):
                raise InvalidInput("unknown_category") from None
            if any(value is None for row in rows for value in row):
                raise InvalidInput("missing_value") from None
            raise

    def _answer(self, table: Any, count: int) -> Answer:  # noqa: ANN401
        predicted = self._predict(table)
        shares = self._shares(table) if self._shares else None
        return Answer(
            entries(predicted, count), None if shares is None else np.asarray(shares).tolist()
        )

    def _first(self, folder: Path) -> Answer | None:
        """Predicts the first row of the example, else a sample: None if both are refused."""
        samples: Rows = [[SAMPLES[column.kind] for column in self.signature.columns]]
        with suppress(Exception):  # each library has its own
            return self._answer(_example(folder), 1)
        with suppress(Exception):
            return self._answer(self._input(samples), 1)
        return None


def _example(folder: Path) -> Any:  # noqa: ANN401
    """The first row of the example that the model was logged with."""
    example = mlflow.pyfunc.Model.load(str(folder)).load_input_example(str(folder))
    if not isinstance(example, pd.DataFrame | np.ndarray):
        raise LookupError("no example of a table")
    return example[:1]


def _load(folder: Path, flavors: tuple[str, ...]) -> tuple[str, Any]:
    """The flavour that is served, and the model: an estimator, or MLflow's own interface to it."""
    for flavor in _ESTIMATORS:
        if flavor in flavors:
            module = __import__(f"mlflow.{flavor}", fromlist=["load_model"])
            model = module.load_model(str(folder))
            if hasattr(model, "get_params"):
                return flavor, model
    if "python_function" not in flavors:
        raise Unsupported(f"the flavours {', '.join(flavors) or 'none'}, without python_function")
    named = [flavor for flavor in flavors if flavor != "python_function"]
    return (named or ["python_function"])[0], _PythonFunction(folder)


class _PythonFunction:
    """Any other model, through the interface that MLflow defines for all flavours."""

    def __init__(self, folder: Path) -> None:
        self._model = mlflow.pyfunc.load_model(str(folder))

    def predict(self, table: Any) -> Any:  # noqa: ANN401
        return self._model.predict(table)


def _signature_of(model: Any) -> Signature:  # noqa: ANN401
    """The columns that an estimator was fitted on, as numbers."""
    count = getattr(model, "n_features_in_", None)
    if not isinstance(count, int):
        raise Unsupported(
            "unknown columns: it was logged without a signature; log it again with input_example"
        )
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return unnamed(Kind.NUMBER, count, "float64")
    return Signature(tuple(Column(str(name), Kind.NUMBER, "double") for name in names))


def _input_of(model: Any, signature: Signature) -> Callable[[Rows], Any]:  # noqa: ANN401
    """What the model was fitted on: a list of texts, an array, or a table."""
    columns = signature.columns
    estimator = not isinstance(model, _PythonFunction)
    single_text = len(columns) == 1 and columns[0].kind is Kind.STRING
    if signature.flat or (estimator and single_text and _takes_texts(model)):
        return lambda rows: _series(columns[0], [row[0] for row in rows]).to_numpy()
    named = getattr(model, "feature_names_in_", None) is not None
    if signature.tensor or (estimator and not named and len({it.type for it in columns}) == 1):
        dtype = _DTYPES.get(columns[0].type, columns[0].type or "float64")
        return lambda rows: array_of(rows, object if dtype in ("str", "object") else dtype)
    return lambda rows: _table(rows, columns)


def _takes_texts(model: Any) -> bool:  # noqa: ANN401
    """Whether the first step is a vectorizer: it knows no number of columns."""
    first = model.steps[0][1] if hasattr(model, "steps") else model
    return not hasattr(first, "n_features_in_")


def _table(rows: Rows, columns: tuple[Column, ...]) -> pd.DataFrame:
    series = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        series[column.name] = _series(column, list(values))
    return pd.DataFrame(series)


def _series(column: Column, values: list[Any]) -> Any:  # noqa: ANN401
    """The values of a column in the type of the signature.

    Integers and booleans with missing values become what pandas reads them as: floats, and objects.
    """
    if column.kind is Kind.DATETIME:
        try:
            return pd.to_datetime([it and datetime.fromisoformat(it) for it in values])
        except ValueError:
            raise InvalidInput("wrong_type") from None
    if column.kind in (Kind.INTEGER, Kind.BOOLEAN) and None in values:
        return pd.Series(values, dtype="float64" if column.kind is Kind.INTEGER else "object")
    dtype = _DTYPES.get(column.type, column.type or None)
    if column.kind is Kind.STRING:
        return pd.Series(values, dtype="str")
    return pd.Series(array_of([values], dtype)[0])
