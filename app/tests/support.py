"""Starts the real programs, and a stub of MLflow whose responses a test can change."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import yaml
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression

APP = Path(__file__).parent.parent
MODEL_PATH = "/api/2.0/mlflow-artifacts/artifacts/1/models/m-1/artifacts/model.onnx"
ALIAS_PATH = "/api/2.0/mlflow/registered-models/alias"
MODEL_ANSWER_PATH = "/api/2.0/mlflow/registered-models/get"
LOCATION_PATH = "/api/2.0/mlflow/model-versions/get-download-uri"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def estimator(features: int = 2) -> LinearRegression:
    rows = np.random.default_rng(7).normal(size=(50, features))
    return LinearRegression().fit(rows, rows.sum(axis=1) * 1.7 + 2.25)


def onnx_bytes(
    model: BaseEstimator | None = None, features: int = 2, dtype: type = np.float64
) -> bytes:
    content: bytes = to_onnx(
        model or estimator(features), np.zeros((1, features), dtype)
    ).SerializeToString()
    return content


def linear_mlmodel(onnx: bytes) -> bytes:
    """The MLmodel file that training writes for `estimator()`."""
    fitted = estimator()
    note = {"coefficients": fitted.coef_.tolist(), "intercept": float(fitted.intercept_)}
    columns = [{"type": "double", "name": name} for name in ("feature1", "feature2")]
    linear = json.dumps({**note, "onnx_sha256": sha256(onnx).hexdigest()})
    document = {"signature": {"inputs": json.dumps(columns)}, "metadata": {"linear": linear}}
    return yaml.safe_dump(document).encode()


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The environment of the image and the platform, without that of the shell."""
    kept = {key: value for key, value in os.environ.items() if key.startswith("COV")}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(home), "TMPDIR": str(home), **kept, **variables}


@dataclass
class Serving:
    """One running `python -m serving`."""

    process: subprocess.Popen[str]
    port: int
    output: Path
    client: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def status(self, path: str) -> int | None:
        try:
            return self.client.get(path, headers={"Connection": "close"}).status_code
        except httpx.TransportError:
            return None

    def wait_for(self, path: str, status: int = 200, seconds: float = 20) -> None:
        what = f"{path} returns {status}; the log is {self.output.read_text()}"
        wait_until(lambda: self.status(path) == status, seconds, what)

    def predict(self, body: bytes) -> httpx.Response:
        return self.client.post("/predict", content=body)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def wait_for_log(self, **fields: object) -> dict[str, Any]:
        def matching() -> list[dict[str, Any]]:
            return [line for line in self.log() if fields.items() <= line.items()]

        wait_until(lambda: bool(matching()), 20, f"a log line with {fields}")
        return matching()[0]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def serving(home: Path, **variables: str) -> Iterator[Serving]:
    port = free_port()
    output = home / "serving.log"
    env = environment(home, **{"PORT": str(port), "MODEL_NAME": "demo", **variables})
    with output.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving"], cwd=APP, env=env, stdout=log, stderr=log, text=True
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield Serving(process, port, output, client)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(20)


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """Starts a real MLflow server, which has its data in `folder`; yields its address."""
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
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def wait_for_tracking_server(uri: str) -> None:
    def healthy() -> bool:
        try:
            return httpx.get(f"{uri}/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(healthy, 120, "MLflow answers /health")


@dataclass
class StubRegistry:
    """Responds as MLflow does for version 3 of `demo`; tests change its responses."""

    url: str = ""
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    breaks_off: str = ""
    redirects: dict[str, str] = field(default_factory=dict)
    authorizations: list[str | None] = field(default_factory=list)

    def register(self, content: bytes) -> None:
        self.answers[ALIAS_PATH] = (200, b'{"model_version": {"version": "3"}}')
        self.locate("mlflow-artifacts:/1/models/m-1/artifacts")
        self.answers[MODEL_PATH] = (200, content)

    def describe(self, mlmodel: bytes) -> None:
        """Adds the MLmodel file."""
        self.answers[MODEL_PATH.replace("model.onnx", "MLmodel")] = (200, mlmodel)

    def locate(self, uri: str) -> None:
        self.answers[LOCATION_PATH] = (200, json.dumps({"artifact_uri": uri}).encode())

    def refuse(self, path: str, status: int, code: str, message: str) -> None:
        self.answers[path] = (status, json.dumps({"error_code": code, "message": message}).encode())


@contextmanager
def stub_registry(port: int = 0) -> Iterator[StubRegistry]:
    stub = StubRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            missing = (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"}')
            stub.asked.append(self.path)
            stub.authorizations.append(self.headers.get("Authorization"))
            path = urlsplit(self.path).path
            if path in stub.redirects:
                self.send_response(307)
                self.send_header("Location", stub.redirects[path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, body = stub.answers.get(path, missing)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + 10 * (path == stub.breaks_off)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
