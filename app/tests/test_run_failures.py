"""Scripts and settings with which a job fails."""

import signal
import sys
from pathlib import Path

import pytest

from tests.jobs import ARTICLE, Job
from tests.support import wait_until
from training.run import main


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("print('no model')", 1, "training: failed: the script has made no model; it needs "),
        ("import sys; sys.exit(7)", 7, "training: failed: the script ended with exit code 7"),
    ],
)
def test_a_job_without_a_model_fails(text: str, code: int, said: str, job: Job) -> None:
    found, _, errors = job.run(text)
    assert found == code
    assert errors.splitlines()[-1].startswith(said)
    assert "Traceback" not in errors
    assert job.versions == []
    assert job.last_run().info.status == "FAILED"


def test_a_job_that_is_stopped_has_failed(job: Job) -> None:
    (job.folder / "fit.py").write_text("print(1, file=open(PATH, 'w'))\nwhile True: pass\n")
    started = job.folder / "started"
    text = (job.folder / "fit.py").read_text().replace("PATH", repr(str(started)))
    (job.folder / "fit.py").write_text(text)
    process = job.start("fit.py")
    wait_until(started.exists, 120, "the script runs")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert job.last_run().info.status == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "gate", "said"),
    [
        ([], None, "no script; usage: python -m training.run SCRIPT [ARGUMENTS]"),
        (["nowhere.py"], None, "/nowhere.py does not exist"),
        ([ARTICLE], '{"metric": "r2"}', "GATE: has neither minimum nor betterThan"),
        (
            [ARTICLE],
            '{"metric": "r2", "betterThan": "champion"}',
            "GATE: betterThan needs data, on which both models are measured",
        ),
        (
            [ARTICLE],
            '{"metric": "rmse", "minimum": 1, "data": "h.csv"}',
            "GATE: metric 'rmse' is unknown; the known ones are ['accuracy', ",
        ),
        (
            [ARTICLE],
            '{"metric": "r2", "minimum": 1, "data": "h.csv"}',
            "/h.csv: cannot be read: No such file or directory",
        ),
    ],
)
def test_invalid_settings_are_refused_before_the_script_runs(
    arguments: list[str | Path],
    gate: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["run", *map(str, arguments)])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "scripts")
    monkeypatch.setenv("MODEL_NAME", "never")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GATE", gate or "")
    assert main() == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("training: failed: ")
    assert said in line
