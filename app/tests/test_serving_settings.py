"""The environment variables of the service: defaults, and errors that name the variable."""

import pytest

from serving.http.limits import Limits
from serving.settings import Settings, SettingsError, load

GOOD = {
    "MODEL_NAME": "demo",
    "MODEL_VERSION": "champion",
    "MLFLOW_TRACKING_URI": "http://mlflow:5000/",
}


def test_defaults() -> None:
    assert load(GOOD) == Settings("demo", "champion", "http://mlflow:5000", 8080, 1000, Limits())


def test_numbers() -> None:
    given = {"PORT": "9090", "MAX_BATCH_ROWS": "7", "MAX_BODY_BYTES": "100", "MAX_QUEUE": "3"}
    settings = load({**GOOD, **given, "MAX_CONNECTIONS": "5"})
    assert (settings.port, settings.max_batch_rows) == (9090, 7)
    assert settings.limits == Limits(body=100, queue=3, connections=5)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MODEL_NAME", "", "is not set"),
        ("MODEL_NAME", "  ", "is not set"),
        ("MODEL_VERSION", "", "is not set"),
        ("MLFLOW_TRACKING_URI", "", "is not set"),
        ("MLFLOW_TRACKING_URI", "mlflow:5000", "must be an http:// or https:// address"),
        ("MLFLOW_TRACKING_URI", "file:///etc/passwd", "must be an http:// or https:// address"),
        ("MLFLOW_TRACKING_URI", "http://", "must be an http:// or https:// address"),
        ("MLFLOW_TRACKING_URI", "http://me:hush@mlflow", "must not contain a user name"),
        ("PORT", "0", "must be a number from 1 to 65535"),
        ("PORT", "65536", "must be a number from 1 to 65535"),
        ("PORT", "-1", "must be a number from 1 to 65535"),
        ("PORT", "http", "must be a number from 1 to 65535"),
        ("MAX_QUEUE", "1e3", "must be a number from 1 to 1000000"),
        ("PORT", "٣", "must be a number from 1 to 65535"),
    ],
)
def test_refuses(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} {problem}") as caught:
        load({**GOOD, name: value})
    assert "hush" not in str(caught.value)
