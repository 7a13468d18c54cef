"""Retries loading the model until it succeeds, with one log line for each attempt."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from serving.errors import ModelUnavailable, Reason
from serving.log import logger

T = TypeVar("T")

#: Seconds before the second attempt; each wait after it is twice as long.
FIRST_DELAY = 0.5

#: Longest wait in seconds: short, as a pod often waits for a training job to register its model.
MAX_DELAY = 5.0


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
        loaded = load_until_ready(self._load, self._stop, self._what, delays())
        if loaded is not None:
            self._loaded.set_result(loaded)


def delays() -> Iterator[float]:
    """Seconds to wait after each failed attempt: exponential up to MAX_DELAY, with 20 % jitter.

    The jitter keeps the pods of a restarted Deployment from sending requests at the same time.
    """
    delay = FIRST_DELAY
    while True:
        yield delay * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        delay = min(delay * 2, MAX_DELAY)


def load_until_ready(
    load: Callable[[], T], stop: threading.Event, what: dict[str, str], waits: Iterator[float]
) -> T | None:
    """Calls `load` until it returns, and returns that; None once `stop` is set.

    Every failure is logged with its reason, the fields of `what`, and the time until the next
    attempt. Unexpected exceptions are logged too: without the loader's thread the pod would stay
    unready without a message.
    """
    for attempt, wait in enumerate(waits, start=1):
        try:
            return load()
        except ModelUnavailable as error:
            _log_failure(error.reason, str(error), what, attempt, wait)
        except Exception as error:
            _log_failure(Reason.UNEXPECTED, f"{type(error).__name__}: {error}", what, attempt, wait)
        if stop.wait(wait):
            break
    return None


def _log_failure(
    reason: Reason, detail: str, what: dict[str, str], attempt: int, wait: float
) -> None:
    fields = {"reason": reason, "detail": detail, "attempt": attempt, "retry_in": round(wait, 2)}
    logger.warning("model not loaded", extra={**what, **fields})
