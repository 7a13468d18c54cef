"""The environment variables of the training job."""

import os
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """An environment variable is missing; the message names it."""


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


def data_dir() -> Path:
    """The folder with the training data: DATA_DIR, /app/data by default."""
    return Path(os.environ.get("DATA_DIR") or "/app/data")


def load() -> Settings:
    """Reads the environment; raises SettingsError for a missing variable."""
    return Settings(
        tracking_uri=_required("MLFLOW_TRACKING_URI"),
        experiment_name=_required("EXPERIMENT_NAME"),
        model_name=_required("MODEL_NAME"),
        model_alias=os.environ.get("MODEL_ALIAS") or "champion",
        data_dir=data_dir(),
    )


def _required(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value
