"""The service's environment: defaults, and a refusal that names the variable."""

import pytest

from serving.settings import Settings, SettingsError, load

GOOD = {
    "MODEL_NAME": "demo",
    "MODEL_VERSION": "champion",
    "MLFLOW_TRACKING_URI": "http://mlflow:5000/",
}


def test_defaults() -> None:
    assert load(GOOD) == Settings("demo", "champion", "http://mlflow:5000", 8080)


def test_port() -> None:
    assert load({**GOOD, "PORT": "9090"}).port == 9090


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
        ("PORT", "0", "must be a port number"),
        ("PORT", "65536", "must be a port number"),
        ("PORT", "-1", "must be a port number"),
        ("PORT", "http", "must be a port number"),
        ("PORT", "٣", "must be a port number"),
    ],
)
def test_refuses(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} {problem}") as caught:
        load({**GOOD, name: value})
    assert "hush" not in str(caught.value)
