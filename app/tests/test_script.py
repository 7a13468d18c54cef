"""A script runs in a writable copy of its folder, as Python runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import APP, environment
from training import script
from training.script import copy_folder


def executed(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "fit.py").write_text(text)
    program = (
        "import sys; from pathlib import Path; from training.script import execute;"
        "code, variables = execute(Path(sys.argv[1]), sys.argv[2:]);"
        "print('variables', variables.get('x')); sys.exit(code)"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(folder / "fit.py"), *arguments],
        env=environment(folder, PYTHONPATH=str(APP)),
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_script_sees_what_it_sees_without_the_runner(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("answer = 42")
    text = (
        "import os, pickle, sys\n"
        "import beside\n"
        "class Model: pass\n"
        "x = beside.answer\n"
        "pickle.loads(pickle.dumps(Model()))\n"
        "print(__name__, __file__, sys.argv, os.getcwd())\n"
    )
    result = executed(tmp_path, text, "--rows", "3")
    file = tmp_path / "fit.py"
    assert result.stdout.splitlines() == [
        f"__main__ {file} ['{file}', '--rows', '3'] {tmp_path}",
        "variables 42",
    ]
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import sys; x = 1; sys.exit()", 0, ""),
        ("import sys; x = 1; sys.exit(7)", 7, ""),
        ("import sys; x = 1; sys.exit('no data')", 1, "no data\n"),
    ],
)
def test_the_exit_code_is_that_of_the_script(
    text: str, code: int, said: str, tmp_path: Path
) -> None:
    result = executed(tmp_path, text)
    assert (result.returncode, result.stderr) == (code, said)
    assert result.stdout == "variables 1\n"


@pytest.mark.parametrize("text", ["def fit():\n    1 / 0\nfit()\n", "x = (\n"])
def test_a_traceback_has_the_lines_of_the_script_alone(text: str, tmp_path: Path) -> None:
    result = executed(tmp_path, text)
    assert result.returncode == 1
    assert f'File "{tmp_path / "fit.py"}", line ' in result.stderr
    assert result.stderr.splitlines()[-1].startswith(("ZeroDivisionError", "SyntaxError"))
    assert "script.py" not in result.stderr


def test_a_copy_can_be_written_where_the_folder_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "_LARGE", 10)
    folder, copy = tmp_path / "folder", tmp_path / "copy"
    (folder / "out").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "out/model.joblib").write_text("old")
    (folder / "large.csv").write_text("more than 10 bytes")
    (folder / "data/rows.csv").write_text("a")
    for path in (folder / "out/model.joblib", folder / "out", folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    copy.mkdir()
    copy_folder(folder, copy, folder / "data")
    assert (copy / "out").stat().st_mode & 0o200
    assert (copy / "out/model.joblib").stat().st_mode & 0o200
    (copy / "out/model.joblib").write_text("new")
    assert (folder / "out/model.joblib").read_text() == "old"
    # Volumes and large files are not copied.
    assert (copy / "data").readlink() == folder / "data"
    assert (copy / "large.csv").readlink() == folder / "large.csv"
    assert (copy / "data/rows.csv").read_text() == "a"
