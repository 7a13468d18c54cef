"""A service that starts without its model, and that stops with requests in flight."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from tests.support import (
    APP,
    Serving,
    StubRegistry,
    environment,
    free_port,
    onnx_bytes,
    serving,
    stub_registry,
    wait_until,
)

GOOD = b'{"features": [3.2, 1.5]}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n"


@pytest.fixture
def starting(registry: StubRegistry, tmp_path: Path) -> Iterator[Serving]:
    """A service whose registry has no model yet."""
    variables = {"MLFLOW_TRACKING_URI": registry.url, "MODEL_VERSION": "champion"}
    with serving(tmp_path, **variables) as running:
        running.wait_for("/healthz")
        yield running


def test_waits_for_a_model_and_becomes_ready(registry: StubRegistry, starting: Serving) -> None:
    line = starting.wait_for_log(reason="model_not_registered")
    assert line["event"] == "model not loaded"
    assert line["detail"] == f"no model 'demo' is registered at {registry.url}"
    assert (line["model"], line["version"], line["attempt"]) == ("demo", "champion", 1)
    assert starting.status("/readyz") == 503
    assert starting.status("/metrics") == 200
    answer = starting.predict(GOOD)
    assert (answer.status_code, answer.content) == (503, b'{"error":"Model not ready"}')

    registry.register(b"garbage")
    assert "not a usable ONNX model" in starting.wait_for_log(reason="model_corrupt")["detail"]
    assert starting.status("/readyz") == 503

    registry.register(onnx_bytes())
    starting.wait_for("/readyz")
    assert starting.predict(GOOD).status_code == 200
    assert starting.wait_for_log(event="model loaded")["loaded_version"] == "3"


def test_waits_for_a_tracking_server(tmp_path: Path) -> None:
    port = free_port()
    variables = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}", "MODEL_VERSION": "3"}
    with serving(tmp_path, **variables) as running:
        line = running.wait_for_log(reason="tracking_server_unreachable")
        assert "Connection refused" in line["detail"]
        with stub_registry(port) as registry:
            registry.register(onnx_bytes())
            running.wait_for("/readyz")
        # The loaded model is still served without the registry.
        assert running.predict(GOOD).status_code == 200


def test_stops_at_once_while_it_waits(starting: Serving) -> None:
    starting.wait_for_log(attempt=2)
    assert starting.stop() == 0


@contextmanager
def connection(to: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", to.port), timeout=15) as raw:
        yield raw


@pytest.fixture
def ready(registry: StubRegistry, starting: Serving) -> Serving:
    registry.register(onnx_bytes())
    starting.wait_for("/readyz")
    return starting


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_finishes_what_is_in_flight(ready: Serving, number: signal.Signals) -> None:
    with connection(ready) as idle, connection(ready) as busy:
        idle.sendall(HEAD + GOOD)
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        busy.sendall(HEAD + GOOD[:10])
        wait_until(lambda: ready.status("/healthz") == 200, 5, "the half request is being served")
        ready.process.send_signal(number)
        wait_until(lambda: ready.status("/healthz") is None, 5, "new connections are refused")
        with pytest.raises(subprocess.TimeoutExpired):
            ready.process.wait(1)
        busy.sendall(GOOD[10:])
        assert busy.recv(4096).startswith(b"HTTP/1.1 200")
        assert ready.process.wait(20) == 0
        assert idle.recv(4096) == b""


def test_the_connection_of_a_stalled_client_is_closed(ready: Serving) -> None:
    with connection(ready) as stalled:
        stalled.sendall(HEAD + GOOD[:10])
        assert stalled.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("missing", "detail"),
    [
        ({"MODEL_NAME": ""}, "MODEL_NAME is not set"),
        ({"MODEL_VERSION": " "}, "MODEL_VERSION is not set"),
        ({"PORT": "0"}, "PORT must be a number from 1"),
    ],
)
def test_invalid_settings_exit_with_the_reason(
    tmp_path: Path, missing: dict[str, str], detail: str
) -> None:
    variables = {"MODEL_NAME": "demo", "MODEL_VERSION": "1", "MLFLOW_TRACKING_URI": "http://mlflow"}
    result = subprocess.run(
        [sys.executable, "-m", "serving"],
        cwd=APP,
        env=environment(tmp_path, **{**variables, **missing}),
        capture_output=True,
        check=False,
        text=True,
        timeout=20,
    )
    assert result.returncode == 2
    assert detail in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_a_port_in_use_exits_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104
        port = str(taken.getsockname()[1])
        variables = {"MLFLOW_TRACKING_URI": "http://mlflow", "MODEL_VERSION": "3", "PORT": port}
        with serving(tmp_path, **variables) as second:
            assert second.process.wait(20) == 1
            detail = second.wait_for_log(event="cannot listen")["detail"]
            assert "address already in use" in detail.lower()
            # The loader started before it listened.
            events = [line["event"] for line in second.log()]
            assert [event for event in events if event != "model not loaded"] == ["cannot listen"]


def index_model() -> bytes:
    """A model that fails at run time: its first feature is an index into a table of one entry."""
    table = helper.make_tensor("table", TensorProto.DOUBLE, [1, 1], [2.5])
    zero = helper.make_tensor("zero", TensorProto.INT64, [1], [0])
    nodes = [
        helper.make_node("Gather", ["X", "zero"], ["first"], axis=1),
        helper.make_node("Cast", ["first"], ["index"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["index"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["Y"], axis=0),
    ]
    graph = helper.make_graph(
        nodes,
        "index",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, [None, 2])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, None)],
        [table, zero],
    )
    opset = [helper.make_opsetid("", 13)]
    model: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return model


def test_a_failing_model_is_a_500_and_a_log_line(registry: StubRegistry, starting: Serving) -> None:
    registry.register(index_model())
    starting.wait_for("/readyz")
    assert starting.predict(b'{"features": [0, 1]}').json() == {"prediction": [2.5]}
    answer = starting.predict(b'{"features": [7, 1]}')
    assert (answer.status_code, answer.content) == (500, b'{"error":"Internal error"}')
    line = starting.wait_for_log(event="prediction failed")
    assert line["level"] == "error"
    assert "out of data bounds" in line["exception"]
    assert len(line["request_id"]) == 16
    assert starting.predict(b'{"features": [0, 1]}').status_code == 200
