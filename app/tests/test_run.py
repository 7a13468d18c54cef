"""Scripts that know nothing of the platform become registered models."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.models import get_model_info
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression

from tests.jobs import ARTICLE, Job


def test_the_script_of_the_article_runs_from_a_read_only_folder(job: Job) -> None:
    shutil.copyfile(ARTICLE, job.folder / "train_model.py")
    before = {path: path.read_bytes() for path in job.folder.iterdir()}
    for path in (*before, job.folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    process = job.start("train_model.py", PARAMETERS='{"rows": "all"}')
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert {path: path.read_bytes() for path in job.folder.iterdir()} == before
    run, [version] = job.last_run(), job.versions
    assert output.startswith("Model trained and saved\n")
    assert output.splitlines()[-1] == (
        f"training: registered {version.name} version 1, alias champion, run {run.info.run_id}"
    )
    assert (job.champion, version.run_id) == ("1", run.info.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "train_model.py")
    assert run.data.params["rows"] == "all"
    assert run.data.params["fit_intercept"] == "True"
    assert run.data.metrics["training_r2_score"] == pytest.approx(0.3959941772904312)

    info = get_model_info(f"models:/{version.name}/1")
    assert info.signature.inputs.input_names() == ["feature1", "feature2"]
    assert info.metadata and info.metadata.keys() == {"onnx_path", "onnx_sha256", "proof", "linear"}
    assert info.saved_input_example_info
    assert info.saved_input_example_info["type"] == "dataframe"
    table = pd.read_csv(job.folder / "training_data.csv")
    rows = table[["feature1", "feature2"]]
    expected = LinearRegression().fit(rows, table["target"]).predict(rows)
    model = mlflow.sklearn.load_model(f"models:/{version.name}/1")
    assert model.predict(rows).tolist() == expected.tolist()
    [model_of_run] = mlflow.search_logged_models(
        [run.info.experiment_id],
        f"source_run_id = '{run.info.run_id}'",
        output_format="list",
    )
    assert version.source == f"models:/{model_of_run.model_id}"

    assert run.inputs
    used = {read.dataset.name: read for read in run.inputs.dataset_inputs}
    digest = sha256(before[job.folder / "training_data.csv"]).hexdigest()
    file = used["training_data.csv"]
    assert {tag.key: tag.value for tag in file.tags} == {
        "mlflow.data.context": "training",
        "sha256": digest,
    }
    assert file.dataset.digest == digest[:36]


OWN = """
import mlflow, mlflow.sklearn, pandas as pd
from sklearn.linear_model import Ridge
rows = pd.read_csv("training_data.csv")
mlflow.set_experiment("elsewhere")
with mlflow.start_run(run_name="mine"):
    model = Ridge().fit(rows[["feature1"]], rows["target"])
    mlflow.log_metric("profit", 12.5)
    mlflow.sklearn.log_model(
        model, name="mine", registered_model_name=NAME, pip_requirements=["mlflow"]
    )
mlflow.end_run()
"""


def test_a_script_that_logs_its_model_keeps_it(job: Job) -> None:
    text = OWN.replace("NAME", repr(job.variables["MODEL_NAME"]))
    gate = '{"metric": "profit", "minimum": 20}'
    code, output, errors = job.run(text, GATE=gate)
    assert code == 0, errors
    [version] = job.versions
    reason = "profit is 12.5: less than 20.0"
    assert output.splitlines()[-1] == (
        f"training: registered {version.name} version 1, champion stays, run {version.run_id}; "
        f"gate: {reason}"
    )
    assert job.champion is None
    assert version.tags == {"gate": "failed", "gate_reason": reason}
    assert version.run_id
    own, parent = MlflowClient().get_run(version.run_id), job.last_run()
    assert own.info.run_name == "mine"
    assert own.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert own.data.tags["gate_reason"] == parent.data.tags["gate_reason"] == reason
    assert parent.info.status == "FINISHED"

    code, output, errors = job.run(text.replace(f"={version.name!r}", "=None"), REGISTER="false")
    assert code == 0, errors
    assert output.splitlines()[-1].endswith(", not registered")
    assert [found.version for found in job.versions] == [version.version]


FITTED = """
import json, os, pickle, pandas as pd
from sklearn.linear_model import Ridge
def main():
    rows = pd.read_csv(os.path.join(os.environ["DATA_DIR"], "rows.csv"))
    names = json.loads(os.environ["PARAMETERS"])["columns"].split()
    model = Ridge().fit(rows[names], rows["target"])
    with open("model.tmp", "wb") as file:
        pickle.dump(model, file)
    os.rename("model.tmp", "model.pkl")
main()
"""


def test_a_better_model_gets_the_alias_and_a_worse_one_does_not(job: Job) -> None:
    data = Path(job.variables["DATA_DIR"])
    table = pd.read_csv(job.folder / "training_data.csv")
    table[:300].to_csv(data / "rows.csv", index=False)
    table[300:].to_csv(data / "holdout.csv", index=False)
    gate = '{"metric": "r2", "minimum": 0.1, "betterThan": "champion", "data": "holdout.csv"}'
    said = []
    for columns in ("feature1", "feature1 feature2", "feature1"):
        code, output, errors = job.run(
            FITTED, GATE=gate, PARAMETERS=json.dumps({"columns": columns})
        )
        assert code == 0, errors
        said.append(output.splitlines()[-1].partition("; gate: ")[2])
    scores = [
        MlflowClient().get_run(version.run_id or "").data.metrics["gate_r2"]
        for version in job.versions
    ]
    low, high, same = scores
    assert 0.1 < low == same < high
    assert said == [
        f"r2 is {low}: at least 0.1, no version has the alias champion",
        f"r2 is {high}: at least 0.1, better than {low} of champion",
        f"r2 is {low}: not better than {high} of champion",
    ]
    assert [version.tags["gate"] for version in job.versions] == ["passed", "passed", "failed"]
    assert job.champion == "2"
    run = MlflowClient().get_run(job.versions[0].run_id or "")
    assert run.inputs
    used = {read.dataset.name: read for read in run.inputs.dataset_inputs}
    digest = sha256((data / "holdout.csv").read_bytes()).hexdigest()
    assert {tag.key: tag.value for tag in used["holdout.csv"].tags} == {
        "mlflow.data.context": "evaluation",
        "sha256": digest,
    }
    assert "rows.csv" in used


XGBOOST = """
import pandas as pd, xgboost
rows = pd.read_csv("training_data.csv")
model = xgboost.XGBRegressor(n_estimators=3).fit(rows[["feature1"]], rows["target"])
"""


def test_a_model_that_autologging_has_logged_is_not_logged_twice(job: Job) -> None:
    code, _, errors = job.run(XGBOOST)
    assert code == 0, errors
    run, [version] = job.last_run(), job.versions
    [model] = mlflow.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'", output_format="list"
    )
    assert version.source == f"models:/{model.model_id}"
    info = get_model_info(version.source)
    assert "xgboost" in info.flavors
    assert info.signature.inputs.input_names() == ["feature1"]
