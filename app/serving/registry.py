"""Fetches a registered model from MLflow over its REST API, without MLflow's client."""

import http.client
import json
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from serving.errors import ModelUnavailable, Reason

#: Timeout in seconds of connecting, and of one read.
TIMEOUT = 10.0

#: A model larger than this, or than 1/MEMORY_SHARE of the container's memory, is refused before it
#: is read: loading takes several times its size, for a forest fourteen times.
MAX_MODEL_BYTES = 512 * 1024 * 1024
MEMORY_SHARE = 4

#: The files with the memory limit of the container: cgroup v2, and v1.
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

#: An MLmodel file has a line for each property, and the signature.
MAX_DESCRIPTION_BYTES = 1024 * 1024

#: Largest response of the API.
MAX_ANSWER_BYTES = 1024 * 1024

#: The name under which `mlflow.onnx.log_model` stores every model.
MODEL_FILE = "model.onnx"

#: MLflow's own description of a model, with its signature.
DESCRIPTION_FILE = "MLmodel"

#: By scheme; the settings allow no other. Importing urllib.request takes longer than a request.
_CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}

_PROXIED = "mlflow-artifacts:/"

#: How MLflow's 400 for a missing alias begins; its error code alone means any bad parameter.
_NO_ALIAS = "Registered model alias"


@dataclass(frozen=True)
class ModelFiles:
    """The files of one registered version."""

    name: str
    version: str
    onnx: bytes
    #: None if the version has no MLmodel file.
    mlmodel: bytes | None


class _NotFound(Exception):
    """The server responded that the resource does not exist."""


@dataclass(frozen=True)
class Registry:
    """The tracking server at `uri` (without a trailing slash). Every error is ModelUnavailable."""

    uri: str

    def fetch(self, name: str, version_or_alias: str) -> ModelFiles:
        """Resolves a version number or an alias, and downloads the files of the version."""
        is_number = version_or_alias.isascii() and version_or_alias.isdigit()
        version = version_or_alias if is_number else self._resolve(name, version_or_alias)
        location = self._location(name, version)
        what = f"version {version} of {name!r}"
        onnx = self._download(what, location, MODEL_FILE, max_model_bytes())
        if onnx is None:
            raise ModelUnavailable(
                Reason.ARTIFACT_MISSING,
                f"{what} has no file {MODEL_FILE} at {self.uri}{_path(location, MODEL_FILE)}",
            )
        mlmodel = self._download(what, location, DESCRIPTION_FILE, MAX_DESCRIPTION_BYTES)
        return ModelFiles(name, version, onnx, mlmodel)

    def _resolve(self, name: str, alias: str) -> str:
        try:
            answer = self._api("registered-models/alias", name=name, alias=alias)
            return str(answer["model_version"]["version"])
        except _NotFound as error:
            if str(error).startswith(_NO_ALIAS):
                message = f"model {name!r} at {self.uri} has no alias {alias!r}"
                raise ModelUnavailable(Reason.ALIAS_NOT_SET, message) from None
            message = f"no model {name!r} is registered at {self.uri}"
            raise ModelUnavailable(Reason.MODEL_NOT_REGISTERED, message) from None
        except (KeyError, TypeError):
            raise self._unexpected_response("registered-models/alias") from None

    def _location(self, name: str, version: str) -> str:
        try:
            answer = self._api("model-versions/get-download-uri", name=name, version=version)
            location = str(answer["artifact_uri"])
        except _NotFound:
            message = f"model {name!r} at {self.uri} has no version {version}"
            raise ModelUnavailable(Reason.VERSION_NOT_FOUND, message) from None
        except (KeyError, TypeError):
            raise self._unexpected_response("model-versions/get-download-uri") from None
        if not location.startswith(_PROXIED):
            raise ModelUnavailable(
                Reason.ARTIFACT_NOT_PROXIED,
                f"version {version} of {name!r} is stored at {location}, where the service cannot "
                "read; run the tracking server with --serve-artifacts and register it again",
            )
        return location.removeprefix(_PROXIED).lstrip("/")

    def _download(self, what: str, location: str, file: str, limit: int) -> bytes | None:
        try:
            content = self._get(_path(location, file), limit)
        except _NotFound:
            return None
        if len(content) > limit:
            message = f"{file} of {what} is larger than {limit} bytes"
            raise ModelUnavailable(Reason.ARTIFACT_TOO_LARGE, message)
        return content

    def _api(self, method: str, **parameters: str) -> dict[str, dict[str, object]]:
        path = f"/api/2.0/mlflow/{method}?{urlencode(parameters)}"
        try:
            answer = json.loads(self._get(path, MAX_ANSWER_BYTES))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._unexpected_response(method)
        return answer

    def _get(self, path: str, limit: int) -> bytes:
        """Up to `limit` bytes, or one more if there are more."""
        parts = urlsplit(self.uri)
        try:
            with closing(_CONNECTIONS[parts.scheme](parts.netloc, timeout=TIMEOUT)) as connection:
                connection.request("GET", parts.path + path)
                response = connection.getresponse()
                if response.status != 200:
                    raise self._refusal(path, response)
                content: bytes = response.read(limit + 1)
                if len(content) <= limit and response.length:
                    raise http.client.IncompleteRead(content, response.length)
                return content
        except (OSError, http.client.HTTPException) as error:
            raise ModelUnavailable(
                Reason.TRACKING_SERVER_UNREACHABLE,
                f"the tracking server {self.uri} cannot be reached: "
                f"{str(error) or type(error).__name__}",
            ) from None

    def _refusal(self, path: str, response: http.client.HTTPResponse) -> Exception:
        code, message = _error_of(response)
        if code == "RESOURCE_DOES_NOT_EXIST" or message.startswith(_NO_ALIAS):
            return _NotFound(message)
        return ModelUnavailable(
            Reason.TRACKING_SERVER_ERROR,
            f"the tracking server {self.uri} answered {response.status} to {path}: {message}",
        )

    def _unexpected_response(self, method: str) -> ModelUnavailable:
        return ModelUnavailable(
            Reason.TRACKING_SERVER_ERROR,
            f"{self.uri} does not answer {method} as an MLflow tracking server does",
        )


def max_model_bytes() -> int:
    """The largest model file that fits into the memory of this container."""
    limit = MAX_MODEL_BYTES
    for path in MEMORY_LIMITS:
        with suppress(OSError, ValueError), open(path) as file:  # noqa: PTH123 (faster than pathlib)
            limit = min(limit, int(file.read()) // MEMORY_SHARE)
    return limit


def _path(location: str, file: str) -> str:
    return f"/api/2.0/mlflow-artifacts/artifacts/{quote(location)}/{file}"


def _error_of(response: http.client.HTTPResponse) -> tuple[str, str]:
    """The code and message of MLflow's JSON error, or the start of any other body."""
    text = response.read(4096).decode("utf-8", "replace")
    try:
        answer = json.loads(text)
        return str(answer["error_code"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        return "", text[:200].strip() or response.reason
