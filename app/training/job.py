"""The end of a training job: one line in its log, and its exit code."""

import sys
from collections.abc import Callable

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from training.failure import JobError


def conclude(job: Callable[[], str]) -> int:
    """Runs a job and prints its result, or the reason why it failed; returns its exit code."""
    try:
        result = job()
    except JobError as error:
        return _failed(str(error), error.code)
    except (MlflowException, RequestException) as error:
        return _failed(f"the tracking server refused or cannot be reached: {error}", JobError.code)
    print(f"training: {result}")
    return 0


def _failed(reason: str, code: int) -> int:
    print(f"training: failed: {' '.join(reason.split())}", file=sys.stderr)
    return code
