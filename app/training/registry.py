"""Writes a trained model and its metadata to MLflow."""

import hashlib
import io
import json
import pickle
import tempfile
import warnings
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import cloudpickle
import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.models.model import ModelInfo
from mlflow.models.signature import ModelSignature
from sklearn.base import BaseEstimator

from training.data import FEATURES, FILE_NAME, TARGET, TrainingData
from training.datasets import log_table
from training.evaluation import Holdout, check_metric, read_holdout
from training.faster import LIMIT, ConversionError, faster_form
from training.fit import SEED, TEST_SHARE, Fit
from training.release import Released, release
from training.rows import FloatArray, Table
from training.settings import Settings

#: MLflow copies the file of a faster form into the model's folder `extra_files`.
_ONNX_FILE = "model.onnx"

#: Metadata is for people too: a longer reason is cut.
_MAX_REASON = 500


def register(settings: Settings, data: TrainingData, fitted: Fit) -> Released:
    """Logs one run, registers its model as a new version, and points the alias at it.

    Raises SettingsError if the gate cannot be used, and the exceptions of MLflow's client if the
    tracking server refuses or cannot be reached.
    """
    holdout = _holdout(settings, data, fitted)
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment(settings.experiment_name)
    with mlflow.start_run() as run:
        _log_facts(data, fitted)
        rows = pd.DataFrame(data.features, columns=list(FEATURES))
        info = log(settings.model_name, fitted.estimator, rows)
        return release(settings, info.model_id, [run.info.run_id], holdout)


def _holdout(settings: Settings, data: TrainingData, fitted: Fit) -> Holdout:
    """The rows of the gate: its data, or those that are held out."""
    gate = settings.gate
    if gate:
        check_metric(gate.metric)
        if gate.data:
            return read_holdout(settings.data_dir, gate.data, gate.target)
    return Holdout(_table(*fitted.held_out), "the held-out rows", str(data.path))


def _table(features: FloatArray, target: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(features, columns=list(FEATURES)).assign(**{TARGET: target})


def _log_facts(data: TrainingData, fitted: Fit) -> None:
    mlflow.log_params(
        {
            "estimator": type(fitted.estimator).__name__,
            "fit_intercept": fitted.estimator.fit_intercept,
            "features": ",".join(FEATURES),
            "test_share": TEST_SHARE,
            "seed": SEED,
            "train_rows": fitted.train_rows,
            "test_rows": fitted.test_rows,
            "data_sha256": data.sha256,
        }
    )
    mlflow.log_metrics(fitted.metrics)
    table = _table(data.features, data.target)
    log_table(table, str(data.path), TARGET, FILE_NAME, "training", data.sha256)


def log_model(name: str, estimator: BaseEstimator, rows: Table, limit: float = LIMIT) -> int:
    """Logs a model into the active run and registers it; returns the version's number."""
    return int(str(log(name, estimator, rows, limit, name).registered_model_version))


def log(
    name: str,
    estimator: BaseEstimator,
    rows: Table,
    limit: float = LIMIT,
    registered_as: str | None = None,
) -> ModelInfo:
    """Logs a model into the active run.

    `rows` are valid rows, such as those of the training: the signature is made of all of them, so a
    column is optional if a value is missing in one. The model is logged as it is, as MLflow's
    flavour of scikit-learn. A faster form is added to its folder if it gives the same answers: see
    training/faster.py. `limit` is in seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, _ONNX_FILE)
        metadata = _optimised(name, estimator, rows, limit, file)
        info: ModelInfo = mlflow.sklearn.log_model(
            estimator,
            name="model",
            registered_model_name=registered_as,
            signature=_signature(estimator, rows),
            input_example=rows[:1],
            metadata=metadata,
            extra_files=[str(file)] if file.exists() else None,
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
            # Given here, because inferring them loads the model in another interpreter.
            pip_requirements=_requirements(estimator),
        )
    return info


def _optimised(
    name: str, estimator: BaseEstimator, rows: Table, limit: float, file: Path
) -> dict[str, str]:
    """Writes a faster form, if there is one; returns the metadata, and prints which way it is."""
    try:
        faster = faster_form(estimator, rows, limit)
    except ConversionError as error:
        reason = str(error)[:_MAX_REASON]
        print(f"training: {name} is served as it was logged: {reason}")
        return {"as_logged": reason}
    print(f"training: {name} has a faster form: {faster.proof}")
    mlflow.log_metric("onnx_max_relative_difference", faster.difference)
    file.write_bytes(faster.onnx)
    return {
        "onnx_path": f"extra_files/{_ONNX_FILE}",
        "onnx_sha256": hashlib.sha256(faster.onnx).hexdigest(),
        "proof": faster.proof,
        **({"linear": faster.linear} if faster.linear else {}),
        **_missing_columns(rows),
    }


def _missing_columns(rows: Table) -> dict[str, str]:
    """Which columns of an array have missing values: the signature of a table says it itself."""
    if isinstance(rows, pd.DataFrame) or rows.dtype.kind != "f":
        return {}
    columns = np.flatnonzero(np.isnan(rows).any(axis=0)).tolist()
    return {"missing_columns": json.dumps(columns)} if columns else {}


def _signature(estimator: BaseEstimator, rows: Table) -> ModelSignature:
    with warnings.catch_warnings():
        # Of MLflow on integers, which cannot be missing; of scikit-learn on names of columns, if
        # the estimator was fitted without.
        warnings.simplefilter("ignore", UserWarning)
        return infer_signature(rows, estimator.predict(rows[:1]))


def _requirements(estimator: BaseEstimator) -> list[str]:
    """The installed versions of MLflow, of pandas, and of all packages that the pickle names."""
    modules = {"pandas", "numpy", "cloudpickle"}

    class Names(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
            modules.add(module.partition(".")[0])
            return super().find_class(module, name)

    Names(io.BytesIO(cloudpickle.dumps(estimator))).load()
    packages = packages_distributions()
    # mlflow-skinny, which the training image has, is a part of mlflow.
    names = {packages[name][0] for name in modules & packages.keys() if name != "mlflow"}
    return [f"mlflow=={mlflow.__version__}", *sorted(f"{name}=={version(name)}" for name in names)]
