"""The environment variables of the model service."""

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from serving.http.limits import Limits
from serving.options import Options

DEFAULT_PORT = 8080

#: Rows of one request. A linear model takes a millisecond for as many, a large forest a tenth of a
#: second, in which no other request is served.
DEFAULT_MAX_BATCH_ROWS = 1000


class SettingsError(Exception):
    """An environment variable is missing or invalid; the message names it and the valid values."""


@dataclass(frozen=True)
class Settings:
    """One field per environment variable.

    MODEL_NAME and MODEL_VERSION (a number, or an alias such as `champion`) name the registered
    model, MLFLOW_TRACKING_URI the tracking server, PORT (default 8080) the port to listen on.
    MAX_BATCH_ROWS (1000), MAX_BODY_BYTES (1048576), MAX_QUEUE (256 predictions) and
    MAX_CONNECTIONS (1024) are limits. RUNTIME (`mlflow` or `onnx`), OPTIMISE (true) and
    STRICT_LIBRARIES (false) say how the model is served. MLflow's own MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, are sent to the tracking server.
    """

    model_name: str
    model_version: str
    tracking_uri: str
    port: int
    max_batch_rows: int
    limits: Limits
    model_options: Options = field(default_factory=Options)
    #: The header `Authorization` for the tracking server.
    authorization: str | None = field(default=None, repr=False)

    @property
    def requested(self) -> dict[str, str]:
        """Fields of log lines about the model."""
        return {"model": self.model_name, "version": self.model_version}


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the environment; raises SettingsError for a missing or invalid variable."""
    return Settings(
        model_name=_required(environment, "MODEL_NAME"),
        model_version=_required(environment, "MODEL_VERSION"),
        tracking_uri=_http_url(environment, "MLFLOW_TRACKING_URI"),
        port=_number(environment, "PORT", DEFAULT_PORT, 65535),
        max_batch_rows=_number(environment, "MAX_BATCH_ROWS", DEFAULT_MAX_BATCH_ROWS, 1_000_000),
        limits=Limits(
            body=_number(environment, "MAX_BODY_BYTES", Limits.body, 1024**3),
            queue=_number(environment, "MAX_QUEUE", Limits.queue, 1_000_000),
            connections=_number(environment, "MAX_CONNECTIONS", Limits.connections, 1_000_000),
        ),
        model_options=Options(
            runtime=_choice(environment, "RUNTIME", ("mlflow", "onnx")),
            optimise=_choice(environment, "OPTIMISE", ("true", "false")) == "true",
            strict_libraries=_choice(environment, "STRICT_LIBRARIES", ("false", "true")) == "true",
        ),
        authorization=_authorization(environment),
    )


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first one is the default."""
    value = environment.get(name, "").strip() or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} must be {' or '.join(choices)}, not {value!r}")
    return value


def _authorization(environment: Mapping[str, str]) -> str | None:
    """As MLflow's client makes it: basic authentication, else a token."""
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
    user, password, token = (environment.get(name, "") for name in names)
    if user and password:
        return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    return f"Bearer {token}" if token else None


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _http_url(environment: Mapping[str, str], name: str) -> str:
    value = _required(environment, name).rstrip("/")
    parts = urlsplit(value)
    if parts.username or parts.password:  # it is written to the log
        raise SettingsError(f"{name} must not contain a user name or password")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name} must be an http:// or https:// address, not {value!r}")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    value = environment.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 20 and 0 < int(value) <= most):
        raise SettingsError(f"{name} must be a number from 1 to {most}, not {value!r}")
    return int(value)
