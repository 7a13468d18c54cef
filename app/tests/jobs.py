"""A job that runs a script, as in an image."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from tests.support import APP, environment
from training.sample_data import write_sample

#: A script that knows nothing of MLflow.
ARTICLE = Path(__file__).parent / "fixtures/article/train_model.py"


@dataclass
class Job:
    """A folder with a script, as in an image, and the variables of the job."""

    folder: Path
    variables: dict[str, str]

    def start(self, script: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "training.run", script],
            cwd=self.folder,
            env=environment(self.folder.parent / "home", **self.variables, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, text: str, **more: str) -> tuple[int, str, str]:
        (self.folder / "fit.py").write_text(text)
        process = self.start("fit.py", **more)
        output, errors = process.communicate()
        return process.returncode, output, errors

    @property
    def versions(self) -> list[ModelVersion]:
        found = MlflowClient().search_model_versions(f"name = '{self.variables['MODEL_NAME']}'")
        return sorted(found, key=lambda version: int(version.version))

    @property
    def champion(self) -> str | None:
        [model] = MlflowClient().search_registered_models(
            f"name = '{self.variables['MODEL_NAME']}'"
        )
        alias: str | None = model.aliases.get("champion")
        return alias

    def last_run(self) -> Run:
        """The newest run of a job."""
        experiment = MlflowClient().get_experiment_by_name("scripts")
        assert experiment
        ours = "tags.`mlflow.source.name` LIKE '%.py'"
        runs = MlflowClient().search_runs([experiment.experiment_id], ours)
        return next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)


def job_in(folder: Path, tracking_uri: str, model: str) -> Job:
    """A job whose folder has the sample data."""
    for name in ("home", "job", "data"):
        (folder / name).mkdir()
    write_sample(folder / "job")
    return Job(
        folder / "job",
        {
            "PYTHONPATH": str(APP),
            "DATA_DIR": str(folder / "data"),
            "MLFLOW_TRACKING_URI": tracking_uri,
            "MLFLOW_EXPERIMENT_NAME": "scripts",
            "MODEL_NAME": model,
        },
    )
