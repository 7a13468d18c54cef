"""What the model service reads from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = 8080


class SettingsError(Exception):
    """An environment variable is missing or unusable; the message names it and what it needs."""


@dataclass(frozen=True)
class Settings:
    """One field per environment variable.

    MODEL_NAME and MODEL_VERSION (a number, or an alias such as `champion`) say which registered
    model to serve, MLFLOW_TRACKING_URI where it is registered, PORT (default 8080) where to listen.
    """

    model_name: str
    model_version: str
    tracking_uri: str
    port: int


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the environment; raises SettingsError for what is missing or unusable."""
    return Settings(
        model_name=_required(environment, "MODEL_NAME"),
        model_version=_required(environment, "MODEL_VERSION"),
        tracking_uri=_http_url(environment, "MLFLOW_TRACKING_URI"),
        port=_port(environment, "PORT"),
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


def _port(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "").strip() or str(DEFAULT_PORT)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise SettingsError(f"{name} must be a port number from 1 to 65535, not {value!r}")
    return int(value)
