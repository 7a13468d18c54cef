"""Loading ONNX files: valid files, and errors with a reason."""

import json
import sys
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from serving.endpoint import Handler, InvalidInput
from serving.errors import ModelUnavailable, Reason
from serving.models import predict, serve
from serving.models.choice import model_of
from serving.models.rows import Decoder
from tests.files import ModelFiles
from tests.graphs import mlmodel, model_file
from tests.support import estimator, onnx_bytes

ROWS = np.random.default_rng(3).normal(size=(40, 3))


@pytest.mark.parametrize(
    "regressor",
    [
        LinearRegression(),
        make_pipeline(StandardScaler(), LinearRegression()),
        make_pipeline(MinMaxScaler(), Ridge()),
    ],
    ids=["linear", "scaled", "ridge"],
)
def test_equals_the_estimator(regressor: LinearRegression) -> None:
    regressor.fit(ROWS, ROWS @ [1.0, -2.0, 0.5])
    model = model_of(model_file(onnx_bytes(regressor, 3)))
    assert len(model.signature.columns) == 3
    for row in ROWS:
        expected = regressor.predict([row]).tolist()
        assert model.predict([row.tolist()]).prediction == pytest.approx(
            expected, rel=1e-9, abs=1e-12
        )


def test_serves_float32_models() -> None:
    regressor = estimator()
    content = onnx_bytes(regressor, dtype=np.float32)
    answer = model_of(model_file(content)).predict([[3.2, 1.5]]).prediction
    assert answer == pytest.approx(regressor.predict([[3.2, 1.5]]).tolist(), rel=1e-5)


@pytest.mark.parametrize("content", [b"", b"garbage", onnx_bytes()[:100]])
def test_corrupt(content: bytes) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        model_of(model_file(content))
    assert caught.value.reason == Reason.MODEL_CORRUPT
    assert f"version 3 of 'demo' ({len(content)} bytes)" in str(caught.value)


LINEAR = estimator(3)
ONNX = onnx_bytes(LINEAR, 3)
COLUMNS = [{"type": "double", "name": name, "required": True} for name in ("a", "b", "c")]


DEEP = "[" * 100_000
#: Nine levels of lists with nine aliases each: expanded, a billion times its size.
ALIASES = b"x0: &x0 [1]\n" + b"".join(
    b"x%d: &x%d [%s]\n" % (level, level, b",".join([b"*x%d" % (level - 1)] * 9))
    for level in range(1, 10)
)
ALIASES += b"metadata: {linear: *x9}"


def linear_note(**changed: object) -> str:
    parts = {"coefficients": LINEAR.coef_.tolist(), "intercept": float(LINEAR.intercept_)}
    return json.dumps({**parts, "onnx_sha256": sha256(ONNX).hexdigest(), **changed})


def test_the_linear_form_is_used_only_for_its_file() -> None:
    own = model_of(ModelFiles("demo", "3", ONNX, mlmodel(COLUMNS, linear=linear_note())))
    other = model_of(
        ModelFiles("demo", "3", ONNX, mlmodel(COLUMNS, linear=linear_note(onnx_sha256="0" * 64)))
    )
    assert (type(own).__name__, type(other).__name__) == ("LinearModel", "OnnxModel")
    rows = ROWS.tolist()
    assert own.predict(rows).prediction == pytest.approx(other.predict(rows).prediction, rel=1e-9)
    with pytest.raises(InvalidInput, match="out_of_range"):
        own.predict([[1.7e308, 1.7e308, 1.7e308]])


@pytest.mark.parametrize("note", [{}, {"linear": linear_note()}])
def test_a_file_that_is_not_the_registered_one_is_refused(note: dict[str, str]) -> None:
    described = mlmodel(COLUMNS, onnx_sha256=sha256(ONNX).hexdigest(), **note)
    assert len(model_of(ModelFiles("demo", "3", ONNX, described)).signature.columns) == 3
    # It could be loaded and would give predictions.
    other = onnx_bytes(LinearRegression().fit(ROWS, ROWS[:, 0]), 3)
    assert len(model_of(ModelFiles("demo", "3", other, mlmodel(COLUMNS))).signature.columns) == 3
    with pytest.raises(ModelUnavailable, match="not what was registered") as caught:
        model_of(ModelFiles("demo", "3", other, described))
    assert caught.value.reason == Reason.MODEL_CORRUPT


NUMBERS = st.integers() | st.floats()


@settings(max_examples=300, deadline=None)
@given(st.lists(NUMBERS, min_size=2, max_size=4) | st.lists(st.lists(NUMBERS, max_size=3)))
def test_the_fast_handler_equals_the_general_one(features: list[object]) -> None:
    model = model_of(ModelFiles("demo", "3", ONNX, mlmodel(COLUMNS, linear=linear_note())))
    general = predict.handler(model, Decoder(model.signature, 10))
    served = serve("demo", "3", model, 10).endpoints["/predict"].handle

    def outcome(handle: Handler, body: bytes) -> bytes | str:
        try:
            return handle(body)
        except InvalidInput as error:
            return error.reason

    value = json.dumps(features)
    for body in (f'{{"features": {value}}}', f'{{"features": {value}, "features": {value}}}'):
        assert outcome(served, body.encode()) == outcome(general, body.encode())


@pytest.mark.parametrize(
    ("description", "said", "reason"),
    [
        (b"\xff\xfe", "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (b"- a\n- list", "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (b"[" * 30_000, "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (b"- " * 100_000, "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (b"? " * 100_000, "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (b"a: [" + b"a," * 100_000 + b"]", "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (ALIASES, "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (mlmodel(DEEP), "MLmodel cannot be read", Reason.MODEL_CORRUPT),
        (mlmodel([{"name": "a"}]), "without 'type'", Reason.MODEL_CORRUPT),
        (mlmodel(COLUMNS, linear="{"), "truncated", Reason.MODEL_CORRUPT),
        (mlmodel(COLUMNS[:2], linear=linear_note()), "do not fit", Reason.MODEL_CORRUPT),
        (mlmodel(COLUMNS[:2]), "3 numbers, where its signature", Reason.MODEL_UNSUPPORTED),
        (mlmodel([{"type": "binary", "name": "a"}]), "binary", Reason.MODEL_UNSUPPORTED),
        (
            mlmodel([*COLUMNS[:2], {"type": "datetime", "name": "c"}]),
            "datetime",
            Reason.MODEL_UNSUPPORTED,
        ),
        (mlmodel([*COLUMNS[:2], COLUMNS[0]]), "must differ", Reason.MODEL_UNSUPPORTED),
        (mlmodel([{"type": "double", "name": 'a"b'}]), "JSON escapes", Reason.MODEL_UNSUPPORTED),
        (mlmodel([{"type": "double", "name": "\ud800"}]), "JSON escapes", Reason.MODEL_UNSUPPORTED),
        (
            mlmodel([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2, 2]}}]),
            "tensors of the shape",
            Reason.MODEL_UNSUPPORTED,
        ),
    ],
)
def test_an_mlmodel_file_that_does_not_match(description: bytes, said: str, reason: Reason) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        model_of(ModelFiles("demo", "3", ONNX, description))
    assert caught.value.reason == reason
    assert said in str(caught.value)


def test_no_number_of_a_linear_model_may_be_missing() -> None:
    columns = [{**column, "required": False} for column in COLUMNS]
    model = model_of(ModelFiles("demo", "3", ONNX, mlmodel(columns, linear=linear_note())))
    decode = Decoder(model.signature, 10)
    with pytest.raises(InvalidInput, match="wrong_type"):
        decode(b'{"features": [1.0, null, 2.0]}')


def test_columns_of_a_tensor_get_numbers() -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}
    model = model_of(ModelFiles("demo", "3", ONNX, mlmodel([tensor])))
    names = [column.name for column in model.signature.columns]
    assert names == ["feature1", "feature2", "feature3"]


def test_the_error_of_the_small_image_names_the_other_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "serving.models.onnx", None)
    with pytest.raises(ModelUnavailable, match="the target serving") as caught:
        model_of(ModelFiles("demo", "3", ONNX, mlmodel(COLUMNS)))
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED
    linear = ModelFiles("demo", "3", ONNX, mlmodel(COLUMNS, linear=linear_note()))
    assert model_of(linear).predict([[1.0, 2.0, 3.0]]).prediction
