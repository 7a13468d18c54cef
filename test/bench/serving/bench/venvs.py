"""Virtual environments from lock files, each created once and kept for later runs."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.paths import APP, CACHE, HERE

#: All servers run on the same interpreter: Debian's, if it is installed.
PYTHON = next((path for path in ("/usr/bin/python3",) if Path(path).exists()), sys.executable)

LOCKS = {
    **{path.stem: path for path in (HERE / "requirements").glob("*.txt")},
    **{path.stem: path for path in (APP / "requirements").glob("*.txt")},
}

Say = Callable[[str], None]


class SetupError(Exception):
    """A requirement of the benchmark is missing; the message says which, and how to install it."""


def ensure(name: str, say: Say) -> Path:
    """Creates the venv of a lock file if it is missing; returns its folder.

    Raises SetupError if a package cannot be installed.
    """
    lock = LOCKS[name]
    version = subprocess.run([PYTHON, "--version"], check=True, capture_output=True).stdout
    digest = hashlib.sha256(version + lock.read_bytes()).hexdigest()[:16]
    venv = CACHE / "venv" / digest
    if not (venv / "complete").exists():
        say(f"installing {name} from {lock.name}")
        _make(venv, lock)
        (venv / "complete").touch()  # last, so that an interrupted install starts again
    return venv


def installed_bytes(venv: Path) -> int:
    """Size of the byte-compiled packages of a venv, without pip, which images do not contain."""
    packages = [
        entry
        for site in venv.glob("lib/*/site-packages")
        for entry in site.iterdir()
        if not entry.name.startswith("pip")
    ]
    files = [file for entry in packages for file in (entry, *entry.rglob("*"))]
    return sum(file.lstat().st_size for file in files if file.is_file())


def locked_versions(lock: str, packages: Iterable[str]) -> dict[str, str]:
    """The versions of packages in the text of a lock file."""
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))
    return {name: pinned[name] for name in packages if name in pinned}


def _make(venv: Path, lock: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    _run([PYTHON, "-m", "venv", str(venv)], "on Debian: apt-get install python3-venv")
    # As in the images: exactly the locked wheels, byte-compiled without time stamps.
    install = (
        "-m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile"
    )
    python = str(venv / "bin" / "python")
    _run([python, *install.split(), "-r", str(lock)], f"is the package index reachable? See {lock}")
    compile_code(python, venv / "lib")


def compile_code(python: str, folder: Path) -> None:
    """Byte-compiles a folder as in the images; files for other Python versions are ignored."""
    command = [python, "-m", "compileall", "-q", "-j", "0"]
    subprocess.run(
        [*command, "--invalidation-mode", "unchecked-hash", str(folder)],
        check=False,
        stdout=subprocess.DEVNULL,
    )


def _run(command: list[str], remedy: str) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise SetupError(f"{' '.join(command)} failed: {' '.join(reason)} ({remedy})")
