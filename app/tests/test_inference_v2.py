"""The Open Inference Protocol returns the predictions of /predict."""

import json

import numpy as np
import pandas as pd
import pytest

from serving.endpoint import InvalidInput
from serving.models import serve
from serving.models.choice import model_of
from tests.models import ESTIMATORS, INFER, MAX_ROWS, ask, labels, made, tensor


@pytest.mark.parametrize("name", ESTIMATORS)
def test_predictions_are_those_of_predict(name: str) -> None:
    item, _ = made(name)
    rows = item.rows[:7]
    wanted = json.loads(made(name)[1]["/v2/models/demo"].handle(b""))["inputs"]
    inputs = [tensor(rows)]
    if isinstance(item.table, pd.DataFrame) and wanted[0]["name"] != "features":
        columns = item.table[:7]
        inputs = [
            tensor(columns[given["name"]].tolist(), given["datatype"], given["name"])
            for given in reversed(wanted)
        ]
    answer = ask(name, INFER, {"id": "7", "inputs": inputs})
    own = ask(name, "/predict", {"features": rows})
    outputs = {output["name"]: output for output in answer["outputs"]}
    first = outputs["prediction"]
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("demo", "3", "7")
    assert np.reshape(first["data"], first["shape"]).tolist() == own["prediction"]
    if labels(item):
        second = outputs["probabilities"]
        assert np.reshape(second["data"], second["shape"]).tolist() == own["probabilities"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({}, "not_a_request"),
        ({"inputs": []}, "wrong_inputs"),
        ({"inputs": [tensor([[1, 2, 3]])] * 2}, "wrong_inputs"),
        ({"inputs": [tensor([[1, 2, 3]], name="other")]}, "wrong_inputs"),
        ({"inputs": [tensor([[1, 2, 3]], "INT64")]}, "wrong_datatype"),
        ({"inputs": [tensor([[1, 2]])]}, "wrong_shape"),
        ({"inputs": [tensor([[1, 2, 3]], shape=[2, 3])]}, "wrong_shape"),
        ({"inputs": [tensor([], shape=[0, 3])]}, "wrong_shape"),
        ({"inputs": [tensor([[1, 2, "x"]])]}, "wrong_type"),
        ({"inputs": [tensor([[1, 2, None]])]}, "wrong_type"),
        ({"inputs": [tensor([[1, 2, 3]] * (MAX_ROWS + 1))]}, "too_many_rows"),
        ({"id": "x" * 129, "inputs": [tensor([[1, 2, 3]])]}, "not_a_request"),
        ({"id": "<script>", "inputs": [tensor([[1, 2, 3]])]}, "not_a_request"),
        ({"id": "7\n", "inputs": [tensor([[1, 2, 3]])]}, "not_a_request"),
        ({"outputs": [{}], "inputs": [tensor([[1, 2, 3]])]}, "not_a_request"),
        ({"outputs": [{"name": "x"}], "inputs": [tensor([[1, 2, 3]])]}, "unknown_output"),
        ({"outputs": [{"name": "probabilities"}], "inputs": [tensor([1])]}, "unknown_output"),
        ({"inputs": [tensor([[1, 2, 3]], shape=[-1, 3])]}, "not_a_request"),
    ],
)
def test_bad_inference_requests(request_: object, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask("linear", INFER, request_)
    assert caught.value.reason == reason
    assert json.loads(caught.value.body).keys() == {"error"}


TENSOR = b'{"name":"features","shape":[1,3],"datatype":"FP64","data":[1,2,3]%b}'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"inputs":[],"inputs":[%b]}' % (TENSOR % b""), "duplicate_key"),
        (b'{"inputs":[%b]}' % (TENSOR % b',"data":[1,2,3]'), "duplicate_key"),
        (b'{"inputs":[%b]}' % (TENSOR % b',"d\\u0061ta":[1,2,3]'), "duplicate_key"),
        (b'{"inputs":[%b],"x":{"a":1,"a":1}}' % (TENSOR % b""), "duplicate_key"),
        (b'{"id":"1","inputs":[%b],"id":"1"}' % (TENSOR % b""), "duplicate_key"),
        (b'{"inputs":[%b],"x":%b}' % (TENSOR % b"", b"9" * 5000), "not_a_request"),
        (b'{"inputs":[%b],"x":%b1%b}' % (TENSOR % b"", b"[" * 990, b"]" * 990), "not_a_request"),
    ],
)
def test_bad_bodies_of_inference_requests(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made("linear")[1][INFER].handle(body)
    assert caught.value.reason == reason


def test_requested_outputs() -> None:
    inputs = [tensor(made("forest")[0].rows[:2])]

    def names(*asked: str) -> list[str]:
        outputs = [{"name": name, "parameters": {"binary_data": False}} for name in asked]
        answer = ask("forest", INFER, {"inputs": inputs, "outputs": outputs})
        return [output["name"] for output in answer["outputs"]]

    assert names("probabilities") == ["probabilities"]
    assert names("prediction") == ["prediction"]
    assert names("probabilities", "prediction") == names() == ["prediction", "probabilities"]


@pytest.mark.parametrize("identity", ["", "42", "A-b_c.9", "x" * 128])
def test_the_id_is_returned(identity: str) -> None:
    answer = ask("linear", INFER, {"id": identity, "inputs": [tensor([[1, 2, 3]])]})
    assert answer["id"] == identity


def test_a_name_with_special_characters_is_quoted() -> None:
    endpoints = serve("my {model}/é", "3", model_of(made("linear")[0].files), 1).endpoints
    for path in ("", "/infer", "/versions/3/infer"):
        assert f"/v2/models/my%20%7Bmodel%7D%2F%C3%A9{path}" in endpoints
    document = json.loads(endpoints["/openapi.json"].handle(b""))
    assert "/v2/models/my%20%7Bmodel%7D%2F%C3%A9/infer" in document["paths"]


def test_bad_columns() -> None:
    good = [tensor([30.0], name="age"), tensor([1], "INT64", "visits")]
    for inputs, reason in (
        (good, "wrong_inputs"),
        ([*good, tensor(["a", "b"], "BYTES", "city")], "wrong_shape"),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask("mixed regressor", INFER, {"inputs": inputs})
        assert caught.value.reason == reason


def test_flat_and_nested_data_are_the_same() -> None:
    flat = ask("linear", INFER, {"inputs": [tensor([1, 2, 3, 4, 5, 6], shape=[2, 3])]})
    nested = ask("linear", INFER, {"inputs": [tensor([[1, 2, 3], [4, 5, 6]])]})
    assert flat == nested
