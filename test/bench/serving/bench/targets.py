"""The compared servers, each started as in its manual, with one worker."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.paths import PEERS
from bench.wires import MLFLOW, NOOP, PREDICT, Wire, open_inference


@dataclass(frozen=True)
class Site:
    """Values for the placeholders in command lines."""

    venv: Path
    port: int
    #: The files of train.py.
    models: Path
    #: The byte-compiled code of the service.
    code: Path
    tracking_uri: str


@dataclass(frozen=True)
class Target:
    """One server with one model; placeholders such as {python} are replaced at the start."""

    name: str
    #: Its name in the table.
    label: str
    #: Lock file of its venv.
    venv: str
    arguments: str
    model: str = "linear"
    wire: Wire = PREDICT
    environment: dict[str, str] = field(default_factory=dict)
    #: Its working directory: a folder of the peers, or the code of the service.
    folder: str = ""
    #: Path of its metrics, which Prometheus scrapes on the platform.
    metrics: str = ""

    def fill(self, text: str, site: Site) -> str:
        """Replaces the placeholders."""
        return text.format(
            python=site.venv / "bin" / "python",
            bin=site.venv / "bin",
            port=site.port,
            port2=site.port + 1,
            port3=site.port + 2,
            models=site.models,
            model=self.model,
            code=site.code,
            tracking=site.tracking_uri,
            peers=PEERS,
        )

    def command(self, site: Site) -> list[str]:
        """The command line."""
        return [self.fill(word, site) for word in self.arguments.split()]

    def variables(self, site: Site) -> dict[str, str]:
        """Its environment variables."""
        return {name: self.fill(value, site) for name, value in self.environment.items()}

    def start_in(self, site: Site) -> Path:
        """Its working directory."""
        return PEERS / self.folder if self.folder else site.code


#: On one core thread pools of libraries have no benefit.
_PEER = {
    "PATH": "{bin}:/usr/bin:/bin",
    "PORT": "{port}",
    "MODEL_FILE": "{models}/{model}.joblib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_GUNICORN = "{python} -m gunicorn --workers 1 --bind 127.0.0.1:{port} app:app"
_UVICORN = "{python} -m uvicorn app:app --port {port} --no-access-log"
_MLFLOW = (
    "{python} -m mlflow models serve --model-uri {models}/linear.mlflow --env-manager local "
    "--port {port} --workers 1"
)
_MLSERVER = {
    "MLSERVER_HTTP_PORT": "{port}",
    "MLSERVER_GRPC_PORT": "{port2}",
    "MLSERVER_METRICS_PORT": "{port3}",
    "MLSERVER_MODEL_URI": "{models}/linear.joblib",
}
_NO_REPORTS = {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "true"}

#: Environment variables of the serving image and of pods on the platform.
_OURS = {
    "PATH": "{bin}:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "{code}",
    "MLFLOW_TRACKING_URI": "{tracking}",
    "MODEL_NAME": "{model}",
    "MODEL_VERSION": "champion",
    "PORT": "{port}",
}
_SERVING = "{python} -m serving"
_VARIANT = "{python} {peers}/ours/variant.py"


def _seed(name: str, label: str, arguments: str, model: str = "linear") -> Target:
    return Target(name, label, "seed", arguments, model, environment=_PEER, folder="seed")


def _ours(
    name: str, label: str, arguments: str, model: str = "linear", wire: Wire = PREDICT
) -> Target:
    venv = "serving-linear" if model == "linear" else "models"
    return Target(name, label, venv, arguments, model, wire, _OURS, metrics="/metrics")


TARGETS = {
    target.name: target
    for target in (
        Target(
            "bare",
            "the same bytes, whatever is asked",
            "serving-linear",
            "{python} bare.py {port}",
            wire=NOOP,
            folder="ours",
        ),
        _ours("ours", "**ml-platform**", _SERVING),
        _ours("ours-no-metrics", "ml-platform, metrics off", f"{_VARIANT} no-metrics"),
        _ours(
            "ours-no-op", "ml-platform, a route that does nothing", f"{_VARIANT} no-op", wire=NOOP
        ),
        _seed("flask", "Flask, development server", "{python} app.py"),
        _seed("gunicorn", "Flask, gunicorn with 1 worker", _GUNICORN),
        Target(
            "fastapi", "FastAPI, uvicorn", "fastapi", _UVICORN, environment=_PEER, folder="fastapi"
        ),
        Target(
            "mlflow",
            "mlflow models serve",
            "mlflow-serve",
            _MLFLOW,
            wire=MLFLOW,
            environment={**_PEER, **_NO_REPORTS},
            folder="seed",
        ),
        Target(
            "mlserver",
            "MLServer",
            "mlserver",
            "{bin}/mlserver start .",
            wire=open_inference("linear"),
            environment={**_PEER, **_MLSERVER},
            folder="mlserver",
        ),
        Target(
            "bentoml",
            "BentoML",
            "bentoml",
            "{python} -m bentoml serve service:Model --host 127.0.0.1 --port {port}",
            environment={**_PEER, **_NO_REPORTS},
            folder="bentoml",
        ),
        _ours("ours-forest", "**ml-platform**", _SERVING, "forest"),
        _seed("gunicorn-forest", "Flask, gunicorn with 1 worker", _GUNICORN, "forest"),
        _ours("ours-logistic", "**ml-platform**", _SERVING, "logistic"),
        _seed("gunicorn-logistic", "Flask, gunicorn with 1 worker", _GUNICORN, "logistic"),
    )
}
