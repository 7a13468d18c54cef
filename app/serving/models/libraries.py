"""Compares the libraries of a model with those that are installed."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: MLflow's list of what a model needs, in its folder.
REQUIREMENTS_FILE = "requirements.txt"

_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;]+)")


def differences(folder: Path) -> list[str]:
    """The pinned libraries that are missing or have another version, such as `numpy 2.1 (not 2.4)`.

    MLflow's own version is not compared: it only loads the model.
    """
    file = folder / REQUIREMENTS_FILE
    lines = file.read_text().splitlines() if file.is_file() else []
    pins = [match.groups() for match in map(_PINNED.match, lines) if match]
    found = [(name, wanted, _installed(name)) for name, wanted in pins if name != "mlflow"]
    return [
        f"{name} {installed or 'missing'} (the model has {wanted})"
        for name, wanted, installed in found
        if installed != wanted
    ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
