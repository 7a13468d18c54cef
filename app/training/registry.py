"""Writes a trained model and its metadata to MLflow."""

import hashlib
import warnings
from dataclasses import dataclass

import mlflow
import mlflow.onnx
import onnxruntime
import pandas as pd
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import infer_signature
from onnx import ModelProto

from training import linear
from training.data import FEATURES, FILE_NAME, TARGET, TrainingData
from training.fit import SEED, TEST_SHARE, Fit
from training.settings import Settings


@dataclass(frozen=True)
class Registered:
    """The result of one training run in MLflow."""

    run_id: str
    version: int


def register(
    settings: Settings, data: TrainingData, fitted: Fit, model: ModelProto, difference: float
) -> Registered:
    """Logs one run, registers its model as a new version, and points the alias at it.

    The alias moves last, so it never points at an incomplete version. Raises the exceptions of
    MLflow's client if the tracking server refuses or cannot be reached.
    """
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment(settings.experiment_name)
    with mlflow.start_run() as run:
        _log_facts(data, fitted, difference)
        example = pd.DataFrame(data.features[:1], columns=list(FEATURES))
        answer = pd.DataFrame(
            {model.graph.output[0].name: fitted.estimator.predict(data.features[:1])}
        )
        note = linear.note(fitted.estimator, model, data.features)
        version = log_model(settings.model_name, model, example, answer, note)
    mlflow.MlflowClient().set_registered_model_alias(
        settings.model_name, settings.model_alias, str(version)
    )
    return Registered(run.info.run_id, version)


def _log_facts(data: TrainingData, fitted: Fit, difference: float) -> None:
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
    mlflow.log_metrics({**fitted.metrics, "onnx_max_relative_difference": difference})
    table = pd.DataFrame(data.features, columns=list(FEATURES)).assign(**{TARGET: data.target})
    with warnings.catch_warnings():
        # MLflow registers its local file source twice, and warns that both match.
        warnings.filterwarnings("ignore", message="The specified dataset source can be interp")
        dataset = from_pandas(table, source=str(data.path), targets=TARGET, name=FILE_NAME)
    mlflow.log_input(dataset, context="training")


def log_model(
    name: str,
    model: ModelProto,
    example: pd.DataFrame,
    answer: pd.DataFrame,
    note: str | None = None,
) -> int:
    """Logs a model into the active run and registers it; returns the version's number.

    The columns of `example`, valid rows, and of `answer`, their predictions, are the signature that
    the service uses. `note` is the result of training/linear.py. With the SHA-256 of the file the
    service detects an incomplete or different file.
    """
    info = mlflow.onnx.log_model(
        model,
        name="model",
        registered_model_name=name,
        signature=infer_signature(example, answer),
        input_example=example,
        metadata=_metadata(model, note),
        # One file: the service fetches only that.
        save_as_external_data=False,
        onnx_execution_providers=["CPUExecutionProvider"],
        # Given here, because inferring them loads the model in another interpreter.
        pip_requirements=[
            f"mlflow=={mlflow.__version__}",
            f"onnxruntime=={onnxruntime.__version__}",
        ],
    )
    return int(info.registered_model_version)


def _metadata(model: ModelProto, note: str | None) -> dict[str, str]:
    digest = hashlib.sha256(model.SerializeToString()).hexdigest()
    return {"onnx_sha256": digest, **({"linear": note} if note else {})}
