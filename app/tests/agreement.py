"""Compares the answers of the service with those of the models: `python -m tests.agreement`.

Each model is logged and registered in an MLflow server, served by a process of its own, and asked
over HTTP for rows that its training has not seen. Prints a table in Markdown. Exits with 1 if a
label differs, or a number of a model that is served as it was logged.
"""

import contextlib
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split

from tests.agreement_cases import CASES, Case
from tests.support import serving, tracking_server, wait_for_tracking_server
from training.registry import log_model

#: How the service names the forms that are not the model itself, with the largest difference of
#: each that training accepts: see training/proof.py.
_FASTER = {"onnx": 1e-6, "linear": 1e-6}

_HEAD = """| Model | Data | Rows compared | Served as | Largest difference |
|---|---|--:|---|--:|"""


def main() -> int:
    """Compares all models; returns the exit code."""
    warnings.simplefilter("ignore")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    wrong = []
    with tempfile.TemporaryDirectory() as folder, tracking_server(Path(folder)) as uri:
        wait_for_tracking_server(uri)
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("agreement")
        print(_HEAD)
        for number, (name, case) in enumerate(CASES.items()):
            for faster in (False, True):
                line, right = _row(f"model-{number}-{faster}", name, case, faster, uri)
                if line:
                    print(line, flush=True)
                wrong += [] if right else [name]
    for name in wrong:
        print(f"The answers for {name} differ", file=sys.stderr)
    return 1 if wrong else 0


def _row(registered: str, name: str, case: Case, faster: bool, uri: str) -> tuple[str, bool]:
    """The line of the table, empty if there is no faster form, and whether the answers agree."""
    seen, unseen, target, _ = train_test_split(
        case.rows, case.target, test_size=0.4, random_state=1
    )
    model = case.fit(seen, target)
    if faster and not isinstance(model, BaseEstimator):
        return "", True
    _log(registered, case, model, seen, faster)
    served_as, answer = _ask(registered, unseen, uri)
    if faster and served_as not in _FASTER:
        return "", True
    difference = _difference(case, model, unseen, answer)
    shown = "0" if difference == 0 else f"{difference:.1e}"
    line = f"| {name} | {case.data} | {len(unseen)} | {served_as} | {shown} |"
    return line, difference <= _FASTER.get(served_as, 0.0)


def _log(registered: str, case: Case, model: Any, rows: pd.DataFrame, faster: bool) -> None:  # noqa: ANN401
    with mlflow.start_run(), contextlib.redirect_stdout(sys.stderr):
        if faster:
            log_model(registered, model, rows)
            return
        key = {"mlflow.pyfunc": "python_model", "mlflow.onnx": "onnx_model"}
        argument = key.get(case.flavor.__name__)
        positional = () if argument else (model,)
        case.flavor.log_model(
            *positional,
            **({argument: model} if argument else {}),
            name="model",
            signature=infer_signature(rows, case.predict(model, rows[:1])),
            registered_model_name=registered,
            pip_requirements=["mlflow"],
            **(case.options or {}),
        )


def _ask(registered: str, rows: pd.DataFrame, uri: str) -> tuple[str, dict[str, Any]]:
    """How the service says that it serves the model, and its answer for the rows."""
    features = rows.astype(object).where(rows.notna(), None).to_dict("records")
    variables = {"MODEL_NAME": registered, "MODEL_VERSION": "1", "MLFLOW_TRACKING_URI": uri}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), **variables, MAX_BODY_BYTES="16777216") as service,
    ):
        service.wait_for("/readyz", seconds=60)
        response = service.predict(json.dumps({"features": features}).encode())
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return service.wait_for_log(message="model loaded")["served_as"], answer


def _difference(case: Case, model: Any, rows: pd.DataFrame, answer: dict[str, Any]) -> float:  # noqa: ANN401
    """The largest relative difference of a number; infinity if a label differs."""
    pairs = [(np.asarray(case.predict(model, rows)), np.asarray(answer["prediction"]))]
    if "probabilities" in answer:
        pairs.append((model.predict_proba(rows), np.asarray(answer["probabilities"])))
    return max(_largest(own, served) for own, served in pairs)


def _largest(own: Any, served: Any) -> float:  # noqa: ANN401
    if own.dtype.kind != "f":
        return 0.0 if own.tolist() == served.tolist() else float("inf")
    size = np.maximum(np.abs(own.astype("float64")), np.finfo("float64").tiny)
    return float(np.max(np.abs(served.astype("float64") - own.astype("float64")) / size))


if __name__ == "__main__":
    sys.exit(main())
