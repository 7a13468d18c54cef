"""Any scikit-learn estimator: /predict returns its predictions."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.endpoint import InvalidInput
from serving.models.choice import model_of
from serving.models.signature import Kind
from tests.models import ESTIMATORS, INFER, MAX_ROWS, ask, labels, made, tensor


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


def test_an_unknown_category_is_predicted_as_by_the_estimator() -> None:
    item, _ = made("mixed regressor")
    row = {"age": 30.0, "visits": 1, "city": "<script>'; DROP TABLE x"}
    expected = item.estimator.predict(pd.DataFrame([row]))
    assert ask("mixed regressor", "/predict", {"features": row})["prediction"] == pytest.approx(
        expected.tolist(), rel=1e-5
    )


@pytest.mark.parametrize("name", ["strict", "ordinal"])
@pytest.mark.parametrize(("column", "value"), [("city", "Paris"), ("city", ""), ("visits", 99)])
@pytest.mark.parametrize("path", ["/predict", INFER])
def test_an_unknown_category_is_refused_as_by_the_estimator(
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


def test_an_unknown_category_is_encoded_as_by_the_estimator() -> None:
    item, _ = made("ordinal")
    assert isinstance(item.table, pd.DataFrame)
    row = item.table[:1].assign(country="ELSEWHERE")
    answer = ask("ordinal", "/predict", {"features": row.to_dict("records")})
    assert answer["prediction"] == pytest.approx(item.estimator.predict(row), rel=1e-5)


@pytest.mark.parametrize("visits", [0.5, 1.5, -0.25, 1e300, 2.0**63])
def test_a_fraction_is_not_a_category(visits: float) -> None:
    item, _ = made("whole floats")
    assert isinstance(item.table, pd.DataFrame)
    row = item.table[:1].assign(visits=visits)
    answer = ask("whole floats", "/predict", {"features": row.to_dict("records")})
    assert answer["prediction"] == pytest.approx(item.estimator.predict(row), rel=1e-5)
    with pytest.raises(InvalidInput, match="unknown_category"):
        ask("strict whole floats", "/predict", {"features": [visits, 30.0]})


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
def test_any_json_is_predicted_or_refused(value: object) -> None:
    bodies = [json.dumps(value), json.dumps({"features": value})]
    for name in ("linear", "mixed classifier"):
        for path in ("/predict", INFER):
            for body in bodies:
                try:
                    made(name)[1][path].handle(body.encode())
                except InvalidInput as error:
                    assert error.body.startswith(b'{"error":"')


VALUES = {
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 9),
    Kind.BOOLEAN: st.booleans(),
    Kind.STRING: st.text() | st.sampled_from(["Bern", "Oslo", "BERN"]),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_any_row_is_predicted_or_refused(name: str) -> None:
    model = model_of(made(name)[0].files)
    row = st.tuples(*(VALUES[column.kind] for column in model.signature.columns))

    @settings(max_examples=50, deadline=None)
    @given(st.lists(row, min_size=1, max_size=3))
    def agrees(rows: list[tuple[object, ...]]) -> None:
        try:
            answer = ask(name, "/predict", {"features": rows})
        except InvalidInput as error:
            assert error.reason in ("out_of_range", "unknown_category")
        else:
            assert len(answer["prediction"]) == len(rows)

    agrees()
