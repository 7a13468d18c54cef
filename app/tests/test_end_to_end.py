"""The two programs with a real MLflow server: train, register, serve, train again."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from serving.models.choice import model_of
from serving.registry import Registry
from tests.support import APP, environment, free_port, serving
from training import data
from training.fit import fit
from training.train import main

Api = Callable[..., Any]


@dataclass
class Job:
    """The folder and environment of a training job."""

    home: Path
    variables: dict[str, str]

    @property
    def csv(self) -> Path:
        return self.home / "data" / data.FILE_NAME

    def run(self, module: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=APP,
            env=environment(self.home, **{**self.variables, **changed}),
            capture_output=True,
            check=False,
            text=True,
            timeout=90,
        )


def job_in(home: Path, tracking_uri: str) -> Job:
    (home / "data").mkdir()
    return Job(
        home,
        {
            "DATA_DIR": str(home / "data"),
            "MLFLOW_TRACKING_URI": tracking_uri,
            "EXPERIMENT_NAME": "end to end",
            "MODEL_NAME": "diabetes",
            # So that an unreachable server is reported within the timeout of the test.
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        },
    )


@pytest.fixture(scope="module")
def trained(tracking_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Version 1 of `diabetes`, registered from the sample data by the two real commands."""
    job = job_in(tmp_path_factory.mktemp("job"), tracking_uri)
    for module in ("training.sample_data", "training.train"):
        result = job.run(module)
        assert result.returncode == 0, result.stderr
    assert "registered diabetes version 1, alias champion, run " in result.stdout
    return job


@pytest.fixture(scope="module")
def api(tracking_uri: str) -> Api:
    def get(method: str, **parameters: str) -> Any:  # noqa: ANN401
        answer = httpx.get(f"{tracking_uri}/api/2.0/mlflow/{method}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    return get


def test_mlflow_shows_the_run_the_version_and_the_alias(trained: Job, api: Api) -> None:
    version = api("registered-models/alias", name="diabetes", alias="champion")["model_version"]
    assert (version["version"], version["status"]) == ("1", "READY")
    run = api("runs/get", run_id=version["run_id"])["run"]
    assert run["info"]["status"] == "FINISHED"
    rows = data.load(trained.csv)
    params = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
    assert params["data_sha256"] == rows.sha256
    assert params["estimator"] == "LinearRegression"
    metrics = {entry["key"]: entry["value"] for entry in run["data"]["metrics"]}
    assert metrics.pop("onnx_max_relative_difference") < 1e-6
    assert metrics == pytest.approx(fit(rows).metrics, rel=1e-9)
    [used] = run["inputs"]["dataset_inputs"]
    assert used["dataset"]["name"] == data.FILE_NAME


def test_the_model_has_a_signature_and_an_example(trained: Job, tracking_uri: str) -> None:
    variables = {"MLFLOW_TRACKING_URI": tracking_uri}
    program = (
        "import json, mlflow; info = mlflow.models.get_model_info('models:/diabetes/1');"
        "print(json.dumps([info.signature.to_dict(), info.saved_input_example_info['type'],"
        "info.metadata]))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(trained.home, **variables),
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    signature, example, metadata = json.loads(output.splitlines()[-1])
    names = [column["name"] for column in json.loads(signature["inputs"])]
    assert (names, example) == (["feature1", "feature2"], "dataframe")
    found = Registry(tracking_uri).find("diabetes", "1")
    digest = sha256(found.read(metadata["onnx_path"]) or b"").hexdigest()
    assert metadata["onnx_sha256"] == json.loads(metadata["linear"])["onnx_sha256"] == digest
    assert type(model_of(found)).__name__ == "LinearModel"


@pytest.mark.parametrize("version", ["champion", "1"])
def test_served_predictions_equal_scikit_learns(
    trained: Job, tracking_uri: str, tmp_path: Path, version: str
) -> None:
    rows = data.load(trained.csv)
    expected = fit(rows).estimator.predict(rows.features)
    variables = {"MODEL_NAME": "diabetes", "MODEL_VERSION": version}
    with serving(tmp_path, **variables, MLFLOW_TRACKING_URI=tracking_uri) as service:
        service.wait_for("/readyz")
        answers = [
            service.client.post("/predict", json={"features": row}).json()["prediction"]
            for row in rows.features.tolist()
        ]
        np.testing.assert_allclose(answers, expected.reshape(-1, 1), rtol=1e-6, atol=0)
        assert 'version="1"' in service.client.get("/metrics").text
        assert service.stop() == 0
    # No library left a device id or a report to send in the home folder.
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["serving.log"]


def test_every_run_is_a_version_and_moves_only_its_alias(trained: Job, api: Api) -> None:
    result = trained.run("training.train", MODEL_ALIAS="challenger")
    assert "registered diabetes version 2, alias challenger, run " in result.stdout
    for alias, version in (("champion", "1"), ("challenger", "2")):
        found = api("registered-models/alias", name="diabetes", alias=alias)["model_version"]
        assert found["version"] == version


def test_the_gate_compares_with_the_champion_on_the_held_out_rows(trained: Job, api: Api) -> None:
    # The same data gives the same model, which is not better.
    gate = '{"metric": "r2", "betterThan": "champion"}'
    result = trained.run("training.train", GATE=gate)
    assert result.returncode == 0, result.stderr
    r2 = fit(data.load(trained.csv)).metrics["r2"]
    reason = f"r2 is {r2}: not better than {r2} of champion"
    assert f"; gate: {reason}: r2=" in result.stdout
    assert "registered diabetes version 3, champion stays, run " in result.stdout
    found = api("model-versions/get", name="diabetes", version="3")["model_version"]
    tags = {tag["key"]: tag["value"] for tag in found["tags"]}
    assert tags == {"gate": "failed", "gate_reason": reason}
    run = api("runs/get", run_id=found["run_id"])["run"]["data"]
    assert {"key": "gate_reason", "value": reason} in run["tags"]
    champion = api("registered-models/alias", name="diabetes", alias="champion")["model_version"]
    assert champion["version"] == "1"


def test_each_error_of_mlflow_has_its_reason(
    trained: Job, tracking_uri: str, tmp_path: Path
) -> None:
    assert trained.csv.exists()
    cases = {
        ("nobody", "champion"): "model_not_registered",
        ("nobody", "1"): "model_not_registered",
        ("diabetes", "nobody"): "alias_not_set",
        ("diabetes", "99"): "version_not_found",
    }
    for number, ((name, version), reason) in enumerate(cases.items()):
        home = tmp_path / str(number)
        home.mkdir()
        variables = {"MODEL_NAME": name, "MODEL_VERSION": version}
        with serving(home, **variables, MLFLOW_TRACKING_URI=tracking_uri) as service:
            line = service.wait_for_log(event="model not loaded")
            assert line["reason"] == reason, line
            service.wait_for("/healthz")


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"MODEL_NAME": ""}, 2, "MODEL_NAME is not set"),
        ({"EXPERIMENT_NAME": " "}, 2, "EXPERIMENT_NAME is not set"),
        ({"MLFLOW_TRACKING_URI": ""}, 2, "MLFLOW_TRACKING_URI is not set"),
        ({"GATE": '{"minimum": 1}'}, 2, "GATE: has no metric; example: "),
        ({"REGISTER": "no"}, 2, "REGISTER is 'no', which is neither true nor false"),
        ({"DATA_DIR": "/nowhere"}, 1, "/nowhere/training_data.csv: cannot be read"),
    ],
)
def test_a_job_that_cannot_start_prints_the_reason_in_one_line(
    changed: dict[str, str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = {"MODEL_NAME": "m", "EXPERIMENT_NAME": "e", "MLFLOW_TRACKING_URI": "http://mlflow"}
    for name, value in {**good, **changed}.items():
        monkeypatch.setenv(name, value)
    assert main() == code
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("training: failed: ")
    assert said in line


def test_a_job_without_its_tracking_server_prints_the_reason_in_its_last_line(trained: Job) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    result = trained.run("training.train", MLFLOW_TRACKING_URI=uri)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("training: failed: the tracking server refused or cannot be reached: ")
    assert "Traceback" not in result.stderr


def test_the_service_imports_no_library_of_the_training() -> None:
    program = (
        "import sys, serving.program, serving.run, serving.models.onnx;"
        "heavy = {'sklearn', 'scipy', 'pandas', 'mlflow', 'skl2onnx', 'onnx', 'training'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, cwd=APP, capture_output=True, check=True, text=True).stdout
    assert output == "[]\n"
