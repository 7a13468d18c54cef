"""The OpenAPI document and the service, tested with third-party clients."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
import tritonclient.http as triton
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.models import PEOPLE, Known, known, labels
from tests.support import Serving, serving, stub_registry

DESCRIBED = ["linear", "mixed classifier", "two outputs"]


@contextmanager
def serving_of(item: Known, home: Path, **more: str) -> Iterator[Serving]:
    with stub_registry() as stub:
        stub.register(item.files.onnx)
        stub.describe(item.files.mlmodel or b"")
        variables = {"MLFLOW_TRACKING_URI": stub.url, "MODEL_VERSION": "3", **more}
        with serving(home, **variables) as service:
            service.wait_for("/readyz")
            yield service


@pytest.fixture(scope="module", params=DESCRIBED)
def described(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Known, Serving]]:
    item = known(request.param)
    with serving_of(item, tmp_path_factory.mktemp("described")) as service:
        yield item, service


def not_in_schema(case: Any) -> set[str]:  # noqa: ANN401
    """Reasons to refuse a request that matches its schema."""
    if case.path.endswith("/infer"):  # the data must match the shape, and the shape the model
        wrong = {"wrong_inputs", "wrong_shape", "wrong_datatype", "wrong_type"}
        return {"not_a_request", "out_of_range", *wrong}
    # In JSON Schema 1.0 is an integer; the service refuses a number with a point.
    rows = case.body["features"]
    rows = rows if isinstance(rows, list) and isinstance(rows[0], list | dict) else [rows]
    counts = [row.get("visits") if isinstance(row, dict) else row[1] for row in rows]
    has_point = any(isinstance(count, float) for count in counts)
    return {"out_of_range", "wrong_type"} if has_point else {"out_of_range"}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_document_and_service_agree(described: tuple[Known, Serving], mode: GenerationMode) -> None:
    api = schemathesis.openapi.from_url(f"{described[1].url}/openapi.json")
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.method != "post":
            continue  # a GET without parameters is never invalid

        # There is one GET for each path.
        examples = 60 if operation.method == "post" else 3

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def agrees(case: Any) -> None:  # noqa: ANN401
            answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
            if mode is GenerationMode.POSITIVE and answer.status_code == 400:
                [reason] = answer.headers["x-error-reason"]
                assert reason in not_in_schema(case)

        agrees()


def test_the_examples_are_valid(described: tuple[Known, Serving]) -> None:
    _, service = described
    document = service.client.get("/openapi.json").json()
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        assert service.client.post("/predict", json=example["value"]).status_code == 200


def test_the_page_loads_nothing_from_other_servers(described: tuple[Known, Serving]) -> None:
    answer = described[1].client.get("/docs")
    [script] = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?://|src=|url\(|@import", answer.text)


def test_a_client_of_the_open_inference_protocol(described: tuple[Known, Serving]) -> None:
    item, service = described
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("demo")
    assert client.get_server_metadata()["extensions"] == []
    metadata = client.get_model_metadata("demo", "3")
    rows = len(item.rows)
    inputs = []
    for wanted in metadata["inputs"]:
        column = item.rows if wanted["name"] == "features" else list(PEOPLE[wanted["name"]])
        kind = object if wanted["datatype"] == "BYTES" else None
        array = np.array(column, dtype=kind).reshape(rows, -1)
        inputs.append(triton.InferInput(wanted["name"], array.shape, wanted["datatype"]))
        inputs[-1].set_data_from_numpy(array, binary_data=False)
    outputs = [
        triton.InferRequestedOutput(output["name"], binary_data=False)
        for output in metadata["outputs"]
    ]
    answer = client.infer("demo", inputs, request_id="42", outputs=outputs)
    assert answer.get_response()["id"] == "42"
    expected = item.estimator.predict(item.table)
    given_ = answer.as_numpy("prediction")
    if labels(item):
        assert given_.reshape(-1).astype(str).tolist() == expected.tolist()
        shares = item.estimator.predict_proba(item.table)
        assert np.allclose(answer.as_numpy("probabilities").reshape(rows, -1), shares, atol=1e-5)
    else:
        assert np.allclose(given_.reshape(expected.shape), expected)
    client.close()


def test_a_client_quotes_the_name_of_a_model(tmp_path: Path) -> None:
    with serving_of(known("linear"), tmp_path, MODEL_NAME="my model") as service:
        client = triton.InferenceServerClient(f"127.0.0.1:{service.port}")
        assert client.is_model_ready("my model")
        assert client.get_model_metadata("my model")["name"] == "my model"
        client.close()
        paths = service.client.get("/openapi.json").json()["paths"]
        assert service.status("/v2/models/my%20model/versions/3") == 200
        assert "/v2/models/my%20model/versions/3" in paths
