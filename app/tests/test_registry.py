"""Each failure of the registry has its reason, and the message has the address."""

from pathlib import Path

import pytest

from serving import registered as subject
from serving.errors import ModelUnavailable, Reason
from serving.models.choice import model_of
from serving.registered import RegisteredVersion
from serving.registry import Registry
from tests.support import (
    ALIAS_PATH,
    LOCATION_PATH,
    MODEL_ANSWER_PATH,
    MODEL_PATH,
    StubRegistry,
    free_port,
    stub_registry,
)


def failure(registry: Registry, version: str = "champion") -> tuple[Reason, str]:
    with pytest.raises(ModelUnavailable) as caught:
        model_of(registry.find("demo", version))
    return caught.value.reason, str(caught.value)


def content_of(found: RegisteredVersion) -> bytes | None:
    return found.read("model.onnx")


@pytest.fixture
def client(registry: StubRegistry) -> Registry:
    registry.register(b"content")
    return Registry(registry.url)


@pytest.mark.parametrize(("asked", "given"), [("champion", "3"), ("3", "3"), ("012", "12")])
def test_fetches_by_alias_and_by_number(client: Registry, asked: str, given: str) -> None:
    found = client.find("demo", asked)
    assert (found.name, found.version, content_of(found)) == ("demo", given, b"content")


def test_a_number_needs_no_alias(registry: StubRegistry, client: Registry) -> None:
    del registry.answers[ALIAS_PATH]
    assert content_of(client.find("demo", "3")) == b"content"


def test_model_not_registered(registry: StubRegistry, client: Registry) -> None:
    message = "Registered Model with name=demo not found"
    registry.refuse(ALIAS_PATH, 404, "RESOURCE_DOES_NOT_EXIST", message)
    expected = f"no model 'demo' is registered at {registry.url}"
    assert failure(client) == (Reason.MODEL_NOT_REGISTERED, expected)


def test_alias_not_set(registry: StubRegistry, client: Registry) -> None:
    message = "Registered model alias champion not found."
    registry.refuse(ALIAS_PATH, 400, "INVALID_PARAMETER_VALUE", message)
    expected = f"model 'demo' at {registry.url} has no alias 'champion'"
    assert failure(client) == (Reason.ALIAS_NOT_SET, expected)


def test_version_not_found(registry: StubRegistry, client: Registry) -> None:
    del registry.answers[LOCATION_PATH]
    registry.answers[MODEL_ANSWER_PATH] = (200, b"{}")
    expected = f"model 'demo' at {registry.url} has no version 9"
    assert failure(client, "9") == (Reason.VERSION_NOT_FOUND, expected)


def test_a_number_of_a_model_that_is_not_registered(
    registry: StubRegistry, client: Registry
) -> None:
    del registry.answers[LOCATION_PATH]
    expected = f"no model 'demo' is registered at {registry.url}"
    assert failure(client, "9") == (Reason.MODEL_NOT_REGISTERED, expected)


def test_credentials_are_sent_to_the_tracking_server_only(registry: StubRegistry) -> None:
    registry.register(b"content")
    with stub_registry() as other:
        other.register(b"elsewhere")
        registry.redirects[MODEL_PATH] = f"{other.url}{MODEL_PATH}"
        client = Registry(registry.url, "Bearer secret")
        assert content_of(client.find("demo", "champion")) == b"elsewhere"
        assert set(registry.authorizations) == {"Bearer secret"}
        assert other.authorizations == [None]


def test_endless_redirects(registry: StubRegistry, client: Registry) -> None:
    registry.redirects[ALIAS_PATH] = ALIAS_PATH
    reason, message = failure(client)
    assert reason == Reason.TRACKING_SERVER_ERROR
    assert "redirects" in message


def test_artifact_missing(registry: StubRegistry, client: Registry) -> None:
    del registry.answers[MODEL_PATH]
    expected = f"version 3 of 'demo' has no file model.onnx at {registry.url}{MODEL_PATH}"
    assert failure(client) == (Reason.ARTIFACT_MISSING, expected)


@pytest.mark.parametrize("location", ["s3://bucket/1/models/m-1", "file:///etc", "/etc", ""])
def test_artifact_not_proxied(registry: StubRegistry, client: Registry, location: str) -> None:
    registry.locate(location)
    reason, message = failure(client)
    assert reason == Reason.ARTIFACT_NOT_PROXIED
    assert "--serve-artifacts" in message


def test_artifact_too_large(client: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_MODEL_BYTES", 6)
    assert failure(client) == (
        Reason.ARTIFACT_TOO_LARGE,
        "model.onnx of version 3 of 'demo' is larger than 6 bytes",
    )
    monkeypatch.setattr(subject, "MAX_MODEL_BYTES", len(b"content"))
    assert content_of(client.find("demo", "3")) == b"content"


def test_the_size_of_the_mlmodel_file_is_limited(registry: StubRegistry, client: Registry) -> None:
    registry.describe(b" " * subject.MAX_DESCRIPTION_BYTES)
    content = client.find("demo", "3").read("MLmodel", subject.MAX_DESCRIPTION_BYTES)
    assert len(content or b"") == subject.MAX_DESCRIPTION_BYTES
    registry.describe(b" " * (subject.MAX_DESCRIPTION_BYTES + 1))
    assert failure(client) == (
        Reason.ARTIFACT_TOO_LARGE,
        f"MLmodel of version 3 of 'demo' is larger than {subject.MAX_DESCRIPTION_BYTES} bytes",
    )


@pytest.mark.parametrize(
    ("content", "bound"),
    [
        ("28\n", 7),
        ("max\n", subject.MAX_MODEL_BYTES),
        ("9223372036854771712\n", subject.MAX_MODEL_BYTES),
        (None, subject.MAX_MODEL_BYTES),
    ],
)
def test_the_size_of_the_model_is_limited_by_the_memory_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, bound: int
) -> None:
    limit = tmp_path / "memory.max"
    if content is not None:
        limit.write_text(content)
    monkeypatch.setattr(subject, "MEMORY_LIMITS", (str(tmp_path / "none"), str(limit)))
    assert subject.max_model_bytes() == bound


def test_an_incomplete_download(registry: StubRegistry, client: Registry) -> None:
    registry.breaks_off = MODEL_PATH
    reason, message = failure(client)
    assert reason == Reason.TRACKING_SERVER_UNREACHABLE
    assert "7 bytes read, 10 more expected" in message


@pytest.mark.parametrize("path", [ALIAS_PATH, LOCATION_PATH])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"model_version": 3}'])
def test_not_an_mlflow_server(
    registry: StubRegistry, client: Registry, path: str, body: bytes
) -> None:
    registry.answers[path] = (200, body)
    reason, message = failure(client)
    assert reason == Reason.TRACKING_SERVER_ERROR
    assert "as an MLflow tracking server does" in message


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b'{"error_code": "INTERNAL_ERROR", "message": "database is locked"}', "is locked"),
        (403, b"Invalid Host header", "Invalid Host header"),
        (502, b"", "Bad Gateway"),
        (503, b"\xff\xfe", "503"),
    ],
)
def test_server_errors_are_in_the_message(
    registry: StubRegistry, client: Registry, status: int, body: bytes, said: str
) -> None:
    registry.answers[ALIAS_PATH] = (status, body)
    reason, message = failure(client)
    assert reason == Reason.TRACKING_SERVER_ERROR
    assert f"answered {status} to {ALIAS_PATH}" in message
    assert said in message


@pytest.mark.parametrize("host", ["127.0.0.1", "tracking.invalid"])
def test_unreachable(host: str) -> None:
    uri = f"http://{host}:{free_port()}"
    reason, message = failure(Registry(uri))
    assert reason == Reason.TRACKING_SERVER_UNREACHABLE
    assert uri in message


def test_names_are_quoted(registry: StubRegistry, client: Registry) -> None:
    assert client.find("a b/c?d=e&name=f", "3").name == "a b/c?d=e&name=f"
    assert "name=a+b%2Fc%3Fd%3De%26name%3Df&" in registry.asked[0]
