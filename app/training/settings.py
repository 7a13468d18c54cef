"""The environment variables of the training job."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from training import gate
from training.failure import JobError

#: A value of a parameter.
Scalar = str | int | float | bool


class SettingsError(JobError):
    """An environment variable is missing or invalid; the message names it."""

    code = 2


@dataclass(frozen=True)
class Settings:
    """One field per environment variable of the same name.

    DATA_DIR defaults to /app/data, where the platform mounts the team's data volume; MODEL_ALIAS
    to `champion`, the alias that services resolve unless they pin a version.
    """

    tracking_uri: str
    experiment_name: str
    model_name: str
    model_alias: str
    data_dir: Path
    parameters: dict[str, Scalar]
    gate: gate.Gate | None
    register: bool
    model_file: str | None
    work_dir: Path | None


def data_dir() -> Path:
    """The folder with the training data: DATA_DIR, /app/data by default."""
    return Path(os.environ.get("DATA_DIR") or "/app/data")


def load() -> Settings:
    """Reads the environment; raises SettingsError for a missing or invalid variable."""
    return Settings(
        tracking_uri=_required("MLFLOW_TRACKING_URI"),
        experiment_name=_required("MLFLOW_EXPERIMENT_NAME", "EXPERIMENT_NAME"),
        model_name=_required("MODEL_NAME"),
        model_alias=_value("MODEL_ALIAS") or "champion",
        data_dir=data_dir(),
        parameters=_parameters(),
        gate=_gate(),
        register=_register(),
        model_file=_value("MODEL_FILE"),
        work_dir=_work_dir(),
    )


def _value(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _required(*names: str) -> str:
    """The value of the first variable that has one."""
    for name in names:
        if value := _value(name):
            return value
    raise SettingsError(f"{names[0]} is not set")


def _parameters() -> dict[str, Scalar]:
    text = _value("PARAMETERS") or "{}"
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"PARAMETERS is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError('PARAMETERS is not a JSON object, such as {"max_depth": 3}')
    for name, value in values.items():
        if not isinstance(value, Scalar):
            raise SettingsError(
                f"PARAMETERS: {name} is {json.dumps(value)[:40]}, "
                "which is not a text, a number, true or false"
            )
    return values


def _gate() -> gate.Gate | None:
    text = _value("GATE")
    try:
        return gate.parse(text) if text else None
    except gate.GateError as error:
        raise SettingsError(f"GATE: {error}") from error


def _work_dir() -> Path | None:
    value = _value("WORK_DIR")
    if value and not Path(value).is_dir():
        raise SettingsError(f"WORK_DIR is {value!r}, which is not a folder")
    return Path(value) if value else None


def _register() -> bool:
    value = _value("REGISTER") or "true"
    if value not in ("true", "false"):
        raise SettingsError(f"REGISTER is {value!r}, which is neither true nor false")
    return value == "true"
