"""The environment variables of the model service."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from serving.http.limits import Limits

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
    MAX_CONNECTIONS (1024) are limits.
    """

    model_name: str
    model_version: str
    tracking_uri: str
    port: int
    max_batch_rows: int
    limits: Limits

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
    )


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
