"""Loading ONNX files: what is served, and what is refused with a reason."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from serving.errors import ModelUnavailable, Reason
from serving.model import OnnxModel
from serving.registry import ModelFile
from tests.support import estimator, onnx_bytes

ROWS = np.random.default_rng(3).normal(size=(40, 3))


def model_file(content: bytes) -> ModelFile:
    return ModelFile("demo", "3", content)


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
    model = OnnxModel(model_file(onnx_bytes(regressor, 3)))
    assert model.feature_count == 3
    for row in ROWS:
        expected = regressor.predict([row]).tolist()
        assert model.predict(row.tolist()) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_serves_float32_models() -> None:
    regressor = estimator()
    content = onnx_bytes(regressor, dtype=np.float32)
    answer = OnnxModel(model_file(content)).predict([3.2, 1.5])
    assert answer == pytest.approx(regressor.predict([[3.2, 1.5]]).tolist(), rel=1e-5)


@pytest.mark.parametrize("content", [b"", b"garbage", onnx_bytes()[:100]])
def test_corrupt(content: bytes) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        OnnxModel(model_file(content))
    assert caught.value.reason == Reason.MODEL_CORRUPT
    assert f"version 3 of 'demo' ({len(content)} bytes)" in str(caught.value)


def onnx_graph(inputs: dict[str, tuple[int, list[int | None]]]) -> bytes:
    infos = [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()]
    first = next(iter(inputs))
    output = helper.make_tensor_value_info("Y", *inputs[first])
    nodes = [helper.make_node("Identity", [first], ["Y"])]
    graph = helper.make_graph(nodes, "graph", infos, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


DOUBLE, TEXT = TensorProto.DOUBLE, TensorProto.STRING
CLASSIFIER = LogisticRegression().fit(ROWS, ROWS[:, 0] > 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (onnx_graph({"X": (TEXT, [None, 2])}), "X: tensor(string)"),
        (onnx_graph({"X": (DOUBLE, [None])}), "shape [rows, N]"),
        (onnx_graph({"X": (DOUBLE, [None, None])}), "shape [rows, N]"),
        (onnx_graph({"a": (DOUBLE, [None, 1]), "b": (DOUBLE, [None, 1])}), "a: tensor(double)"),
        (onnx_graph({"X": (DOUBLE, [None, 2])}), "one number for each row"),
        (onnx_bytes(CLASSIFIER, 3, np.float32), "one number for each row"),
    ],
    ids=["text", "vector", "open width", "two inputs", "two numbers", "classifier"],
)
def test_unsupported(content: bytes, said: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        OnnxModel(model_file(content))
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED
    assert said in str(caught.value)
