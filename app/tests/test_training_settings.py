"""The environment variables of training jobs."""

from pathlib import Path

import pytest

from training.gate import Gate
from training.settings import Settings, SettingsError, load

GOOD = {
    "MLFLOW_TRACKING_URI": "http://mlflow:5000",
    "MLFLOW_EXPERIMENT_NAME": "nightly",
    "MODEL_NAME": "fraud",
}
DEFAULTS = Settings(
    tracking_uri="http://mlflow:5000",
    experiment_name="nightly",
    model_name="fraud",
    model_alias="champion",
    data_dir=Path("/app/data"),
    parameters={},
    gate=None,
    register=True,
    model_file=None,
    work_dir=None,
)
OTHERS = ["EXPERIMENT_NAME", "MODEL_ALIAS", "DATA_DIR", "PARAMETERS", "GATE", "REGISTER"]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*OTHERS, "MODEL_FILE", "WORK_DIR"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_defaults() -> None:
    assert load() == DEFAULTS


def test_all_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "EXPERIMENT_NAME": "ignored",
        "MODEL_ALIAS": "challenger",
        "DATA_DIR": "/volume",
        "PARAMETERS": '{"depth": 3, "rate": 0.5, "loss": "log", "shuffle": true}',
        "GATE": '{"metric": "r2", "minimum": 0.8}',
        "REGISTER": "false",
        "MODEL_FILE": "model.joblib",
        "WORK_DIR": "/tmp",  # noqa: S108
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load() == Settings(
        tracking_uri="http://mlflow:5000",
        experiment_name="nightly",
        model_name="fraud",
        model_alias="challenger",
        data_dir=Path("/volume"),
        parameters={"depth": 3, "rate": 0.5, "loss": "log", "shuffle": True},
        gate=Gate("r2", 0.8),
        register=False,
        model_file="model.joblib",
        work_dir=Path("/tmp"),  # noqa: S108 (it exists)
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MLFLOW_EXPERIMENT_NAME", "", "MLFLOW_EXPERIMENT_NAME is not set"),
        ("PARAMETERS", "depth=3", "PARAMETERS is not JSON: Expecting value"),
        ("PARAMETERS", "[3]", "PARAMETERS is not a JSON object, such as"),
        (
            "PARAMETERS",
            '{"layers": [8, 8]}',
            "PARAMETERS: layers is [8, 8], which is not a text, a number, true or false",
        ),
        ("PARAMETERS", '{"depth": null}', "PARAMETERS: depth is null, which is not a text"),
        ("GATE", "{}", "GATE: has no metric"),
        ("WORK_DIR", "/nowhere", "WORK_DIR is '/nowhere', which is not a folder"),
        ("REGISTER", "True", "REGISTER is 'True', which is neither true nor false"),
    ],
)
def test_invalid_values(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(said)
