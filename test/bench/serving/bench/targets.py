"""The servers that are compared, each as its own manual starts it, with one worker."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.paths import PEERS
from bench.wires import MLFLOW, NOOP, PREDICT, Wire, open_inference


@dataclass(frozen=True)
class Site:
    """What a command line may refer to."""

    venv: Path
    port: int
    #: The files that train.py wrote.
    models: Path
    #: The service's code, byte-compiled.
    code: Path
    tracking_uri: str


@dataclass(frozen=True)
class Target:
    """One server with one model; {python} and the like are filled in when it is started."""

    name: str
    #: What the table calls it.
    label: str
    #: Lock file of its venv.
    venv: str
    arguments: str
    model: str = "linear"
    wire: Wire = PREDICT
    environment: dict[str, str] = field(default_factory=dict)
    #: Folder that it is started in: one of the peers', or the service's code.
    folder: str = ""
    #: Path that Prometheus asks, as it does of every pod on the platform.
    metrics: str = ""

    def fill(self, text: str, site: Site) -> str:
        """Replaces what is in braces."""
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
        """What to run."""
        return [self.fill(word, site) for word in self.arguments.split()]

    def variables(self, site: Site) -> dict[str, str]:
        """The environment to run it in."""
        return {name: self.fill(value, site) for name, value in self.environment.items()}

    def start_in(self, site: Site) -> Path:
        """The folder to run it in."""
        return PEERS / self.folder if self.folder else site.code


#: On one core the libraries' pools of threads gain nothing.
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

#: What the serving image sets, and what the platform's pods set.
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
    venv = "serving-linear" if model == "linear" else "serving"
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
