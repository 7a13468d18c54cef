"""Any scikit-learn estimator: /predict and the Open Inference Protocol say what it says."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.endpoint import Endpoint, InvalidInput
from serving.models import model_of, serve
from tests.models import ESTIMATORS, Known, known, labels

MAX_ROWS = 60
INFER = "/v2/models/demo/infer"


@cache
def made(name: str) -> tuple[Known, dict[str, Endpoint]]:
    item = known(name)
    return item, dict(serve("demo", "3", model_of(item.files), MAX_ROWS).endpoints)


def ask(name: str, path: str, body: object) -> Any:  # noqa: ANN401
    return json.loads(made(name)[1][path].handle(json.dumps(body).encode()))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_equals_the_estimator(name: str) -> None:
    item, _ = made(name)
    answer = ask(name, "/predict", {"features": item.rows})
    expected = item.estimator.predict(item.table)
    classes = labels(item)
    if expected.dtype.kind == "f":
        assert np.allclose(answer["prediction"], expected, rtol=1e-5, atol=1e-6)
    else:
        assert json.dumps(answer["prediction"]) == json.dumps(expected.tolist())
    if classes is None:
        assert answer.keys() == {"prediction"}
    else:
        assert json.dumps(answer["classes"]) == json.dumps(classes)
        shares = item.estimator.predict_proba(item.table)
        assert np.allclose(answer["probabilities"], shares, atol=1e-5)
    one = ask(name, "/predict", {"features": item.rows[0]})["prediction"]
    assert len(one) == 1
    if expected.dtype.kind == "f":
        assert np.allclose(one, answer["prediction"][:1])
    else:
        assert one == answer["prediction"][:1]


@pytest.mark.parametrize("name", ["mixed regressor", "mixed classifier"])
def test_records_by_name_in_any_order(name: str) -> None:
    item, _ = made(name)
    assert isinstance(item.table, pd.DataFrame)
    records = [dict(reversed(row.items())) for row in item.table.to_dict("records")]
    by_place = ask(name, "/predict", {"features": item.rows})
    assert ask(name, "/predict", {"features": records}) == by_place
    assert len(ask(name, "/predict", {"features": records[0]})["prediction"]) == 1


def test_an_unknown_category_is_answered_as_the_estimator_does() -> None:
    item, _ = made("mixed regressor")
    row = {"age": 30.0, "visits": 1, "city": "<script>'; DROP TABLE x"}
    expected = item.estimator.predict(pd.DataFrame([row]))
    assert ask("mixed regressor", "/predict", {"features": row})["prediction"] == pytest.approx(
        expected.tolist(), rel=1e-5
    )


@pytest.mark.parametrize("name", ["strict", "ordinal"])
@pytest.mark.parametrize(("column", "value"), [("city", "Paris"), ("city", ""), ("visits", 99)])
@pytest.mark.parametrize("path", ["/predict", INFER])
def test_an_unknown_category_is_refused_as_the_estimator_does(
    name: str, column: str, value: str | int, path: str
) -> None:
    item, endpoints = made(name)
    assert isinstance(item.table, pd.DataFrame)
    known_, other = item.table[:1], item.table[:1].assign(**{column: value})
    assert item.estimator.predict(known_).shape == (1,)
    with pytest.raises(ValueError, match="unknown categories"):
        item.estimator.predict(other)
    kinds = {"age": "FP64", "visits": "INT64", "city": "BYTES", "country": "BYTES"}

    def body(rows: pd.DataFrame) -> bytes:
        tensors = [tensor(rows[key].tolist(), kinds[key], key) for key in kinds if key in rows]
        records = rows.to_dict("records")
        return json.dumps({"inputs": tensors} if path == INFER else {"features": records}).encode()

    assert endpoints[path].handle(body(known_))
    with pytest.raises(InvalidInput, match="unknown_category"):
        endpoints[path].handle(body(pd.concat([known_, other])))


def test_an_unknown_category_is_encoded_as_the_estimator_does() -> None:
    item, _ = made("ordinal")
    assert isinstance(item.table, pd.DataFrame)
    row = item.table[:1].assign(country="ELSEWHERE")
    answer = ask("ordinal", "/predict", {"features": row.to_dict("records")})
    assert answer["prediction"] == pytest.approx(item.estimator.predict(row), rel=1e-5)


PERSON = {"age": 30.0, "visits": 1, "city": "Bern"}


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({**PERSON, "age": "30"}, "wrong_type"),
        ({**PERSON, "visits": 1.5}, "wrong_type"),
        ({**PERSON, "visits": True}, "wrong_type"),
        ({**PERSON, "visits": 2**63}, "wrong_type"),
        ({**PERSON, "city": 7}, "wrong_type"),
        ({**PERSON, "city": None}, "wrong_type"),
        ({**PERSON, "extra": 1}, "unknown_column"),
        ({"age": 30.0, "visits": 1}, "missing_column"),
        ([30.0, 1], "feature_count"),
        ([PERSON] * (MAX_ROWS + 1), "too_many_rows"),
        ([PERSON, {**PERSON, "age": []}], "wrong_type"),
        ([PERSON, {"age": 3}], "missing_column"),
        ([[30.0, 1, "Bern"], [30.0]], "feature_count"),
        ([], "feature_count"),
    ],
)
def test_reasons(features: object, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask("mixed regressor", "/predict", {"features": features})
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "features_missing"),
        (b'{"features":[1,2,3],"x":1}', "unknown_key"),
        (b'{"features":[1,2,3],"features":[1,2,3]}', "duplicate_key"),
        (b'{"features":[[1,2,3]],"features":[[1,2,3]]}', "duplicate_key"),
        (b'{"features":{"a":1,"b":2,"c":3,"a":1}}', "duplicate_key"),
        (b'{"features":[1,2,true]}', "wrong_type"),
    ],
)
def test_reasons_of_whole_bodies(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made("linear")[1]["/predict"].handle(body)
    assert caught.value.reason == reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("features"), inner),
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_answered_or_refused(value: object) -> None:
    bodies = [json.dumps(value), json.dumps({"features": value})]
    for name in ("linear", "mixed classifier"):
        for path in ("/predict", INFER):
            for body in bodies:
                try:
                    made(name)[1][path].handle(body.encode())
                except InvalidInput as error:
                    assert error.body.startswith(b'{"error":"')


def tensor(data: Any, datatype: str = "FP64", name: str = "features", **more: Any) -> Any:  # noqa: ANN401
    shape = list(np.shape(data))
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_open_inference_protocol_says_the_same(name: str) -> None:
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
        ({"inputs": [tensor([[1, 2, 3]], shape=[-1, 3])]}, "not_a_request"),
    ],
)
def test_bad_inference_requests(request_: object, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask("linear", INFER, request_)
    assert caught.value.reason == reason
    assert json.loads(caught.value.body).keys() == {"error"}


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
