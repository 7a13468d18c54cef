"""The sample data: real, valid, and never instead of an existing file."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from training import data
from training.sample_data import main, write_sample


def test_writes_the_raw_diabetes_columns(tmp_path: Path) -> None:
    assert write_sample(tmp_path)
    path = tmp_path / data.FILE_NAME
    rows = data.load(path)
    source = load_diabetes(scaled=False, as_frame=True)
    assert np.array_equal(rows.features, source.data[["bmi", "bp"]].to_numpy())
    assert np.array_equal(rows.target, source.target.to_numpy())
    assert rows.features[0].tolist() == [32.1, 101.0]
    assert len(rows.target) == 442
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_keeps_an_existing_file(tmp_path: Path) -> None:
    path = tmp_path / data.FILE_NAME
    path.write_text("mine")
    assert not write_sample(tmp_path)
    assert path.read_text() == "mine"


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_sample(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main() == 0
    assert capsys.readouterr().out.endswith(": written\n")
    assert main() == 0
    assert capsys.readouterr().out.endswith(": exists, not changed\n")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "missing"))
    assert main() == 1
    assert "missing: No such file or directory" in capsys.readouterr().err
