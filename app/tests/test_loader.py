"""The loader: exponential backoff without a limit of attempts, and stop."""

import threading
from collections.abc import Iterator

import pytest

from serving.errors import ModelUnavailable, Reason
from serving.loader import (
    FIRST_DELAY,
    MAX_DELAY,
    MAX_DELAY_OF_A_VERSION,
    delay,
    load_until_ready,
)

WHAT = {"model": "demo", "version": "champion"}


@pytest.mark.parametrize(
    ("reason", "most"),
    [
        (Reason.ALIAS_NOT_SET, MAX_DELAY),
        (Reason.TRACKING_SERVER_UNREACHABLE, MAX_DELAY),
        (Reason.UNEXPECTED, MAX_DELAY),
        (Reason.MODEL_CORRUPT, MAX_DELAY_OF_A_VERSION),
        (Reason.MODEL_UNSUPPORTED, MAX_DELAY_OF_A_VERSION),
    ],
)
def test_delays_double_up_to_the_maximum(reason: Reason, most: float) -> None:
    for attempt in (*range(1, 50), 5000):
        nominal = min(FIRST_DELAY * 2.0 ** min(attempt - 1, 20), most)
        assert 0.8 * nominal <= delay(attempt, reason) <= 1.2 * nominal
    assert len({delay(20, reason) for _ in range(10)}) > 1  # jitter


def test_logs_every_failure_and_returns_the_first_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: Iterator[Exception | str] = iter(
        [ModelUnavailable(Reason.ALIAS_NOT_SET, "no alias"), KeyError("bug"), "loaded", "never"]
    )

    def load() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    loaded = load_until_ready(load, threading.Event(), WHAT, lambda *_: 0.001)
    assert loaded == "loaded"
    assert next(outcomes) == "never"
    lines = [vars(record) for record in caplog.records]
    assert [line["reason"] for line in lines] == ["alias_not_set", "unexpected"]
    assert [line["detail"] for line in lines] == ["no alias", "KeyError: 'bug'"]
    assert [line["attempt"] for line in lines] == [1, 2]
    assert all(WHAT.items() <= line.items() for line in lines)


def test_stops() -> None:
    stop = threading.Event()
    calls = []

    def load() -> str:
        calls.append(1)
        stop.set()
        raise ModelUnavailable(Reason.MODEL_CORRUPT, "corrupt")

    assert load_until_ready(load, stop, WHAT, lambda *_: 60.0) is None
    assert len(calls) == 1
