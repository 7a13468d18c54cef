"""Shared fixtures: one real MLflow server, and one service with a stub registry."""

import re
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from tests.jobs import Job, job_in
from tests.support import (
    Serving,
    StubRegistry,
    onnx_bytes,
    serving,
    stub_registry,
    tracking_server,
    wait_for_tracking_server,
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
    with tracking_server(tmp_path_factory.mktemp("mlflow")) as uri:
        yield uri


@pytest.fixture(scope="session")
def tracking_uri(_mlflow: str) -> str:
    """The address of a real tracking server that is ready."""
    wait_for_tracking_server(_mlflow)
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


@pytest.fixture
def job(tmp_path: Path, tracking_uri: str, request: pytest.FixtureRequest) -> Job:
    """A job with a folder of its own, and a model of the name of the test."""
    mlflow.set_tracking_uri(tracking_uri)
    return job_in(tmp_path, tracking_uri, re.sub("[^a-z]+", "-", request.node.name))
