"""Runs a script and registers the model that it makes: `python -m training.run SCRIPT [ARGUMENTS]`.

The script needs no change. MLflow's autologging records what it fits.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Run

from training import registry
from training.datasets import log_files
from training.evaluation import Holdout, check_metric, read_holdout
from training.failure import JobError
from training.found import Traces, find, rows_of
from training.job import conclude
from training.observe import observed
from training.release import Released, release
from training.script import copy_folder, execute
from training.settings import Settings, SettingsError, load


class ScriptError(JobError):
    """The script has ended with an exit code other than 0."""

    def __init__(self, code: int) -> None:
        """With its exit code."""
        super().__init__(f"the script ended with exit code {code}")
        self.code = code


def run(config: Settings, script: Path, arguments: list[str], holdout: Holdout | None) -> Released:
    """Runs the script in a run of MLflow, and registers its model.

    Raises ScriptError, ModelError, or the exceptions of MLflow's client.
    """
    mlflow.set_tracking_uri(config.tracking_uri)
    mlflow.set_experiment(config.experiment_name)
    with tempfile.TemporaryDirectory(dir=config.work_dir) as work, _job(script) as job:
        mlflow.log_params(config.parameters)
        # The real path, as that of each file is.
        folder = Path(work).resolve()
        copy_folder(script.parent, folder, config.data_dir)
        try:
            with observed() as seen:
                code, variables = execute(folder / script.name, arguments)
        finally:
            os.chdir(script.parent)
        if code != 0:
            raise ScriptError(code)
        _resume(job)
        log_files(seen, {folder: script.parent, config.data_dir: config.data_dir})
        return _publish(config, Traces(seen, variables, folder, job.info.run_id), holdout)


@contextmanager
def _job(script: Path) -> Iterator[Run]:
    """The run of the job, which has failed if the block raises an exception."""
    source = {"mlflow.source.name": str(script)}
    job = mlflow.start_run(run_name=script.name, tags=source)
    status = "FAILED"
    try:
        yield job
        status = "FINISHED"
    finally:
        _resume(job)
        mlflow.end_run(status)


def _resume(job: Run) -> None:
    """Makes the job's run the active one, whatever runs the script has started or ended."""
    while (active := mlflow.active_run()) and active.info.run_id != job.info.run_id:
        mlflow.end_run()
    if not active:
        mlflow.set_experiment(experiment_id=job.info.experiment_id)  # the script may have another
        mlflow.start_run(run_id=job.info.run_id)


def _publish(config: Settings, traces: Traces, holdout: Holdout | None) -> Released:
    model = find(traces, config.model_file)
    if model.model_id is None:
        info = registry.log(config.model_name, model.estimator, rows_of(model, traces.seen))
        return release(config, info.model_id, [traces.run_id], holdout)
    # The run of the job is the last: the script has logged the model in a run of its own.
    runs = dict.fromkeys([model.run_id or traces.run_id, traces.run_id])
    return release(config, model.model_id, list(runs), holdout)


def main() -> int:
    """Command line entry; returns the script's exit code, 1 for a failure, or 2 for settings."""
    # As process 1 of a container, Python would ignore it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return conclude(_job_of_command_line)


def _job_of_command_line() -> str:
    script, arguments = _script(sys.argv[1:])
    config = load()
    return run(config, script, arguments, _holdout(config)).text(config)


def _script(arguments: list[str]) -> tuple[Path, list[str]]:
    if not arguments:
        raise SettingsError("no script; usage: python -m training.run SCRIPT [ARGUMENTS]")
    path = Path(arguments[0]).resolve()
    if not path.is_file():
        raise SettingsError(f"the script {path} does not exist")
    return path, arguments[1:]


def _holdout(config: Settings) -> Holdout | None:
    """The rows of the gate. Without, its metric is one that the script logs."""
    gate = config.gate
    if gate and gate.data:
        check_metric(gate.metric)
        return read_holdout(config.data_dir, gate.data, gate.target)
    if gate and gate.better_than:
        raise SettingsError("GATE: betterThan needs data, on which both models are measured")
    return None


if __name__ == "__main__":
    sys.exit(main())
