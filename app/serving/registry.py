"""Fetches a registered model from MLflow over its REST API, without MLflow's client."""

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from serving.errors import ModelUnavailable, Reason
from serving.registered import NotFound, RegisteredVersion

#: Timeout in seconds of connecting, and of one read.
TIMEOUT = 10.0

#: Largest response of the API.
MAX_ANSWER_BYTES = 1024 * 1024

#: Most files of a model, and most folders inside of each other.
MAX_FILES, MAX_DEPTH = 1000, 8

#: Most redirects of one request, and their status codes.
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)

#: By scheme; the settings allow no other. Importing urllib.request takes longer than a request.
_CONNECTIONS: dict[str, type[http.client.HTTPConnection]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}

_PROXIED = "mlflow-artifacts:/"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"

#: How MLflow's 400 for a missing alias begins; its error code alone means any bad parameter.
_NO_ALIAS = "Registered model alias"


@dataclass(frozen=True)
class Registry:
    """The tracking server at `uri` (without a trailing slash). Every error is ModelUnavailable."""

    uri: str
    #: The header `Authorization`, which is sent to the server of `uri` only.
    authorization: str | None = None

    def find(self, name: str, version_or_alias: str) -> RegisteredVersion:
        """Resolves a version number or an alias to a registered version."""
        is_number = version_or_alias.isascii() and version_or_alias.isdigit()
        # MLflow reads 01 as 1.
        version = str(int(version_or_alias)) if is_number else self._resolve(name, version_or_alias)
        return RegisteredVersion(self, name, version, self._location(name, version))

    def download(self, location: str, file: str, limit: int) -> bytes:
        """Up to `limit` bytes of a file, or one more if there are more."""
        return self._get(_path(location, file), limit)

    def address(self, location: str, file: str) -> str:
        """The URL of a file, for messages."""
        return f"{self.uri}{_path(location, file)}"

    def files(self, location: str) -> list[tuple[str, int]]:
        """The paths below a folder of artifacts, with their sizes in bytes."""
        found: list[tuple[str, int]] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            path = f"{location}/{folder}".rstrip("/")
            answer = self._json(f"{_ARTIFACTS}?{urlencode({'path': path})}", "mlflow-artifacts")
            for entry in answer.get("files", ()):
                below = f"{folder}/{entry['path']}".lstrip("/")
                if entry.get("is_dir"):
                    folders.append(below)
                else:
                    found.append((below, int(entry.get("file_size", 0))))
            if len(found) + len(folders) > MAX_FILES or folder.count("/") > MAX_DEPTH:
                message = f"{location} has more than {MAX_FILES} files, or too many folders"
                raise ModelUnavailable(Reason.ARTIFACT_TOO_LARGE, message)
        return found

    def _resolve(self, name: str, alias: str) -> str:
        try:
            answer = self._api("registered-models/alias", name=name, alias=alias)
            return str(answer["model_version"]["version"])
        except NotFound as error:
            if str(error).startswith(_NO_ALIAS):
                message = f"model {name!r} at {self.uri} has no alias {alias!r}"
                raise ModelUnavailable(Reason.ALIAS_NOT_SET, message) from None
            raise self._not_registered(name) from None
        except (KeyError, TypeError):
            raise self._unexpected_response("registered-models/alias") from None

    def _location(self, name: str, version: str) -> str:
        try:
            answer = self._api("model-versions/get-download-uri", name=name, version=version)
            location = str(answer["artifact_uri"])
        except NotFound:
            self._check_registered(name)
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

    def _check_registered(self, name: str) -> None:
        try:
            self._api("registered-models/get", name=name)
        except NotFound:
            raise self._not_registered(name) from None

    def _not_registered(self, name: str) -> ModelUnavailable:
        message = f"no model {name!r} is registered at {self.uri}"
        return ModelUnavailable(Reason.MODEL_NOT_REGISTERED, message)

    def _api(self, method: str, **parameters: str) -> dict[str, Any]:
        return self._json(f"/api/2.0/mlflow/{method}?{urlencode(parameters)}", method)

    def _json(self, path: str, method: str) -> dict[str, Any]:
        try:
            answer = json.loads(self._get(path, MAX_ANSWER_BYTES))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._unexpected_response(method)
        return answer

    def _get(self, path: str, limit: int) -> bytes:
        """Up to `limit` bytes, or one more if there are more."""
        url = self.uri + path
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                parts = urlsplit(url)
                with closing(_connection(parts)) as connection:
                    connection.request("GET", _target(parts), headers=self._headers(parts))
                    response = connection.getresponse()
                    if response.status in _REDIRECTS:
                        url = urljoin(url, response.getheader("location", ""))
                        continue
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
        message = (
            f"the tracking server {self.uri} redirects {path} more than {_MAX_REDIRECTS} times"
        )
        raise ModelUnavailable(Reason.TRACKING_SERVER_ERROR, message)

    def _headers(self, parts: SplitResult) -> dict[str, str]:
        own = urlsplit(self.uri)
        same = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        return {"Authorization": self.authorization} if self.authorization and same else {}

    def _refusal(self, path: str, response: http.client.HTTPResponse) -> Exception:
        code, message = _error_of(response)
        if code == "RESOURCE_DOES_NOT_EXIST" or message.startswith(_NO_ALIAS):
            return NotFound(message)
        return ModelUnavailable(
            Reason.TRACKING_SERVER_ERROR,
            f"the tracking server {self.uri} answered {response.status} to {path}: {message}",
        )

    def _unexpected_response(self, method: str) -> ModelUnavailable:
        return ModelUnavailable(
            Reason.TRACKING_SERVER_ERROR,
            f"{self.uri} does not answer {method} as an MLflow tracking server does",
        )


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    if parts.scheme not in _CONNECTIONS:
        raise http.client.InvalidURL(f"a redirect to {parts.scheme or 'no address'}")
    return _CONNECTIONS[parts.scheme](parts.netloc, timeout=TIMEOUT)


def _target(parts: SplitResult) -> str:
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _path(location: str, file: str) -> str:
    return f"{_ARTIFACTS}/{quote(location)}/{quote(file)}"


def _error_of(response: http.client.HTTPResponse) -> tuple[str, str]:
    """The code and message of MLflow's JSON error, or the start of any other body."""
    text = response.read(4096).decode("utf-8", "replace")
    try:
        answer = json.loads(text)
        return str(answer["error_code"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        return "", text[:200].strip() or response.reason
