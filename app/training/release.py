"""Registers a logged model, and moves the alias if the gate allows it."""

from dataclasses import dataclass

import mlflow
from mlflow.tracking import MlflowClient

from training.datasets import log_table
from training.evaluation import Holdout, score
from training.gate import Gate, Score, Verdict, decide
from training.settings import Settings


@dataclass(frozen=True)
class Released:
    """The result of a job in MLflow; no version if the job does not register."""

    run_id: str
    model_id: str
    version: int | None
    verdict: Verdict | None

    def text(self, config: Settings) -> str:
        """One line for the log."""
        if self.version is None:
            done = f"logged {self.model_id} of run {self.run_id}, not registered"
        else:
            moved = self.verdict is None or self.verdict.passed
            alias = f"alias {config.model_alias}" if moved else f"{config.model_alias} stays"
            done = (
                f"registered {config.model_name} version {self.version}, {alias}, run {self.run_id}"
            )
        return f"{done}; gate: {self.verdict.reason}" if self.verdict else done


def release(config: Settings, model_id: str, runs: list[str], holdout: Holdout | None) -> Released:
    """Registers a model that the first of `runs` has logged.

    The alias moves last, so it never points at an incomplete version. Without `holdout` the metric
    of the gate is the one that a run has. The reason is a tag of the runs and of the version.
    """
    verdict = _judge(config, config.gate, model_id, runs, holdout) if config.gate else None
    version = _registered(config.model_name, model_id) if config.register else None
    client = MlflowClient()
    for key, value in _tags(verdict).items():
        for run_id in runs:
            client.set_tag(run_id, key, value)
        if version is not None:
            client.set_model_version_tag(config.model_name, str(version), key, value)
    if version is not None and (verdict is None or verdict.passed):
        client.set_registered_model_alias(config.model_name, config.model_alias, str(version))
    return Released(runs[0], model_id, version, verdict)


def _tags(verdict: Verdict | None) -> dict[str, str]:
    if verdict is None:
        return {}
    return {"gate": "passed" if verdict.passed else "failed", "gate_reason": verdict.reason}


def _judge(
    config: Settings, gate: Gate, model_id: str, runs: list[str], holdout: Holdout | None
) -> Verdict:
    if holdout is None:
        return decide(gate, _metric_of(runs, gate.metric))
    own = score(f"models:/{model_id}", gate.metric, holdout)
    if own.value is not None:
        mlflow.log_metric(f"gate_{gate.metric}", own.value)
    log_table(
        holdout.table,
        holdout.source,
        holdout.target,
        holdout.name,
        "evaluation",
        holdout.sha256,
    )
    return decide(gate, own, _rival(config.model_name, gate, holdout))


def _metric_of(runs: list[str], name: str) -> Score:
    """The metric that a run has logged under this name."""
    found = [MlflowClient().get_run(run_id).data.metrics for run_id in runs]
    for metrics in found:
        if name in metrics:
            return Score(metrics[name])
    known = sorted({other for metrics in found for other in metrics})
    return Score(None, f"unknown, as the run has only the metrics {known}; set the gate's data")


def _rival(name: str, gate: Gate, holdout: Holdout) -> Score | None:
    """The score of the version that has the alias; None without such a version."""
    if gate.better_than is None:
        return None
    client = MlflowClient()
    registered = client.search_registered_models(f"name = '{name}'")
    version = registered[0].aliases.get(gate.better_than) if registered else None
    return score(f"models:/{name}/{version}", gate.metric, holdout) if version else None


def _registered(name: str, model_id: str) -> int:
    """Registers the model, unless its code has done so."""
    uri = f"models:/{model_id}"
    for version in MlflowClient().search_model_versions(f"name = '{name}'"):
        if version.source == uri:
            return int(version.version)
    return int(mlflow.register_model(uri, name).version)
