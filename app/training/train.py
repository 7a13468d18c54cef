"""Trains and registers one model version: `python -m training.train`.

Every run registers a new version, also with unchanged data: a Job runs once per image and
parameters, so a new version is wanted for each run, and `data_sha256` shows equal data.
"""

import sys

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from training import data, fit, registry, settings


def run(config: settings.Settings) -> registry.Registered:
    """Runs the job once. Raises DataError, or the exceptions of MLflow."""
    rows = data.load(config.data_dir / data.FILE_NAME)
    fitted = fit.fit(rows)
    result = registry.register(config, rows, fitted)
    print(
        f"training: registered {config.model_name} version {result.version}, "
        f"alias {config.model_alias}, run {result.run_id}: "
        + ", ".join(f"{name}={value:.6g}" for name, value in fitted.metrics.items())
        + f", data sha256 {rows.sha256}"
    )
    return result


def main() -> int:
    """Command line entry; returns 0, or 1 after one line with the reason."""
    try:
        run(settings.load())
    except (settings.SettingsError, data.DataError) as error:
        return _failed(str(error))
    except (MlflowException, RequestException) as error:
        return _failed(f"the tracking server refused or cannot be reached: {error}")
    return 0


def _failed(reason: str) -> int:
    print(f"training: failed: {' '.join(reason.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
