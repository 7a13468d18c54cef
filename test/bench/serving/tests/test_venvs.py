from bench.targets import TARGETS
from bench.venvs import LOCKS, locked_versions

LOCK = "flask==3.1.3 \\\n    --hash=sha256:00\ngunicorn==27.0.1 ; sys_platform != 'win32' \\\n"


def test_versions_are_read_from_a_lock() -> None:
    found = locked_versions(LOCK, ["flask", "gunicorn", "uvicorn"])
    assert found == {"flask": "3.1.3", "gunicorn": "27.0.1"}


def test_every_target_has_a_lock_and_every_peer_the_same_scikit_learn() -> None:
    versions = set()
    for target in TARGETS.values():
        lock = LOCKS[target.venv].read_text()
        assert "--hash=sha256:" in lock
        versions |= set(locked_versions(lock, ["scikit-learn"]).values())
    trained = locked_versions(LOCKS["training"].read_text(), ["scikit-learn"])
    assert versions == set(trained.values())
