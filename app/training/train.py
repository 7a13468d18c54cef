"""Trains and registers one model version: `python -m training.train`.

Every run registers a new version, also with unchanged data: a Job runs once per image and
parameters, so a new version is wanted for each run, and `data_sha256` shows equal data.
"""

import sys

from training import data, fit, registry, settings
from training.job import conclude


def run(config: settings.Settings) -> str:
    """Runs the job once; returns its result in one line.

    Raises DataError, SettingsError, or the exceptions of MLflow.
    """
    rows = data.load(config.data_dir / data.FILE_NAME)
    fitted = fit.fit(rows)
    result = registry.register(config, rows, fitted)
    metrics = ", ".join(f"{name}={value:.6g}" for name, value in fitted.metrics.items())
    return f"{result.text(config)}: {metrics}, data sha256 {rows.sha256}"


def main() -> int:
    """Command line entry; returns 0, or after one line with the reason 1, or 2 for settings."""
    return conclude(lambda: run(settings.load()))


if __name__ == "__main__":
    sys.exit(main())
