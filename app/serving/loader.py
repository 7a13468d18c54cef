"""Retries loading the model until it succeeds, with one log line for each attempt."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Generic, TypeVar

from serving.errors import ModelUnavailable, Reason
from serving.log import logger

T = TypeVar("T")

#: Seconds before the second attempt; each wait after it is twice as long.
FIRST_DELAY = 0.5

#: Longest wait in seconds: short, as a pod often waits for a training job to register its model.
MAX_DELAY = 5.0

#: Longest wait in seconds if only another version helps. Each attempt downloads the model, and an
#: alias may be moved at any time.
MAX_DELAY_OF_A_VERSION = 60.0

_OF_THE_VERSION = frozenset(
    (
        Reason.ARTIFACT_NOT_PROXIED,
        Reason.ARTIFACT_TOO_LARGE,
        Reason.MODEL_CORRUPT,
        Reason.MODEL_UNSUPPORTED,
    )
)

#: Returns the seconds to wait after the attempt of this number, from 1, which failed for a reason.
Wait = Callable[[int, Reason], float]


class Loading(Generic[T]):
    """Loads in a thread of its own, which starts with the constructor."""

    def __init__(self, load: Callable[[], T], what: dict[str, str]) -> None:
        """Starts loading; log lines of failures have the fields of `what`."""
        self._load, self._what = load, what
        self._stop = threading.Event()
        self._loaded: Future[T] = Future()
        threading.Thread(target=self._run, name="model-loader", daemon=True).start()

    def then(self, use: Callable[[T], None]) -> None:
        """Calls `use` with the result: now, or later in the thread of the loader."""
        self._loaded.add_done_callback(lambda loaded: use(loaded.result()))

    def stop(self) -> None:
        """Stops a loader that is still waiting."""
        self._stop.set()

    def _run(self) -> None:
        loaded = load_until_ready(self._load, self._stop, self._what, delay)
        if loaded is not None:
            self._loaded.set_result(loaded)


def delay(attempt: int, reason: Reason) -> float:
    """Seconds to wait after a failed attempt: exponential up to a maximum, with 20 % jitter.

    The jitter keeps the pods of a restarted Deployment from sending requests at the same time.
    """
    most = MAX_DELAY_OF_A_VERSION if reason in _OF_THE_VERSION else MAX_DELAY
    # The exponent is bounded, as a float cannot hold 2.0**1024.
    nominal = min(FIRST_DELAY * 2.0 ** min(attempt - 1, 10), most)
    return nominal * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)


def load_until_ready(
    load: Callable[[], T], stop: threading.Event, what: dict[str, str], wait: Wait
) -> T | None:
    """Calls `load` until it returns, and returns that; None once `stop` is set.

    Every failure is logged with its reason, the fields of `what`, and the time until the next
    attempt. Unexpected exceptions are logged too: without the loader's thread the pod would stay
    unready without a message.
    """
    for attempt in count(1):
        try:
            return load()
        except ModelUnavailable as error:
            reason, detail = error.reason, str(error)
        except Exception as error:
            reason, detail = Reason.UNEXPECTED, f"{type(error).__name__}: {error}"
        seconds = wait(attempt, reason)
        _log_failure(reason, detail, what, attempt, seconds)
        if stop.wait(seconds):
            break
    return None


def _log_failure(
    reason: Reason, detail: str, what: dict[str, str], attempt: int, wait: float
) -> None:
    fields = {"reason": reason, "detail": detail, "attempt": attempt, "retry_in": round(wait, 2)}
    logger.warning("model not loaded", extra={**what, **fields})
