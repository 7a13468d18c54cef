"""Trains and registers one model version: `python -m training.train`.

Every run registers a new version, also with unchanged data: a Job runs once per image and
parameters, so a new version is wanted for each run, and `data_sha256` shows equal data.
"""

import sys

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from training import data, fit, registry, release, settings


def run(config: settings.Settings) -> release.Released:
    """Runs the job once. Raises DataError, SettingsError, or the exceptions of MLflow."""
    rows = data.load(config.data_dir / data.FILE_NAME)
    fitted = fit.fit(rows)
    result = registry.register(config, rows, fitted)
    print(
        f"training: {result.text(config)}: "
        + ", ".join(f"{name}={value:.6g}" for name, value in fitted.metrics.items())
        + f", data sha256 {rows.sha256}"
    )
    return result


def main() -> int:
    """Command line entry; returns 0, or after one line with the reason 1, or 2 for settings."""
    try:
        run(settings.load())
    except settings.SettingsError as error:
        return _failed(str(error), 2)
    except data.DataError as error:
        return _failed(str(error))
    except (MlflowException, RequestException) as error:
        return _failed(f"the tracking server refused or cannot be reached: {error}")
    return 0


def _failed(reason: str, code: int = 1) -> int:
    print(f"training: failed: {' '.join(reason.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
