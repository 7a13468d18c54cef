from pathlib import Path

from bench.targets import TARGETS
from bench.venvs import LOCKS, installed_bytes, locked_versions

LOCK = "flask==3.1.3 \\\n    --hash=sha256:00\ngunicorn==27.0.1 ; sys_platform != 'win32' \\\n"


def test_versions_are_read_from_a_lock_file() -> None:
    found = locked_versions(LOCK, ["flask", "gunicorn", "uvicorn"])
    assert found == {"flask": "3.1.3", "gunicorn": "27.0.1"}


def test_every_target_has_a_lock_and_every_peer_the_same_scikit_learn() -> None:
    versions = set()
    for target in TARGETS.values():
        lock = LOCKS[target.venv].read_text()
        assert "--hash=sha256:" in lock
        versions |= set(locked_versions(lock, ["scikit-learn"]).values())
    trained = locked_versions(LOCKS["models"].read_text(), ["scikit-learn"])
    assert versions == set(trained.values())


def test_all_files_of_packages_count_except_for_pip(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.13" / "site-packages"
    for name, size in {
        "a/b/c.py": 5,
        "one.py": 7,
        "pip/x.py": 11,
        "pip-26.dist-info/y": 13,
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(b"x" * size)
    (site / "a" / "link").symlink_to(site / "one.py")
    assert installed_bytes(tmp_path) == 5 + 7 + (site / "a" / "link").lstat().st_size
