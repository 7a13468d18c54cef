"""Shared fixtures: one real MLflow server, and one service with a stub registry."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import (
    Serving,
    StubRegistry,
    environment,
    free_port,
    onnx_bytes,
    serving,
    stub_registry,
    wait_until,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves the tests that need MLflow to the end: it starts while the others run."""
    items.sort(key=lambda item: "tracking_uri" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def _mlflow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str | None]:
    """Starts MLflow before the first test, if any test needs it."""
    if not any("tracking_uri" in getattr(i, "fixturenames", ()) for i in request.session.items):
        yield None
        return
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    stores += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *arguments, *stores],
            cwd=folder,
            env=environment(folder, **quiet),
            stdout=log,
            stderr=log,
        )
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def tracking_uri(_mlflow: str) -> str:
    """The address of a real tracking server that is ready."""

    def healthy() -> bool:
        try:
            return httpx.get(f"{_mlflow}/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(healthy, 120, "MLflow answers /health")
    return _mlflow


@pytest.fixture
def registry() -> Iterator[StubRegistry]:
    """A stub registry without models."""
    with stub_registry() as stub:
        yield stub


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A ready service with a linear model of two features."""
    home: Path = tmp_path_factory.mktemp("service")
    with stub_registry() as stub:
        stub.register(onnx_bytes())
        variables = {"MLFLOW_TRACKING_URI": stub.url, "MODEL_VERSION": "champion"}
        with serving(home, **variables) as running:
            running.wait_for("/readyz")
            yield running
