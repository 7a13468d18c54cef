"""Graphs on onnxruntime: supported graphs, and invalid input."""

import json

import numpy as np
import pytest
from onnx import TensorProto
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from serving.endpoint import InvalidInput
from serving.errors import ModelUnavailable, Reason
from serving.models import serve
from serving.models.choice import model_of
from serving.models.signature import Kind
from tests.files import ModelFiles
from tests.graphs import (
    DOUBLE,
    INTEGER,
    SINGLE,
    TEXT,
    TRUTH,
    mlmodel,
    model_file,
    onnx_function,
    onnx_graph,
    onnx_reshape,
    with_metadata,
)
from tests.support import onnx_bytes

ROWS = np.random.default_rng(3).normal(size=(40, 3))
TREE = onnx_bytes(DecisionTreeClassifier().fit(ROWS, ROWS[:, 0] > 0), 3, np.float32)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (onnx_graph({"X": (TensorProto.UINT8, [None, 2])}), "tensor(uint8)"),
        (onnx_graph({"X": (DOUBLE, [None])}), "one input of [rows, N]"),
        (onnx_graph({"X": (DOUBLE, [None, None])}), "one input of [rows, N]"),
        (onnx_graph({"a": (DOUBLE, [None, 1]), "b": (DOUBLE, [None, 1])}), "a: tensor(double)"),
        (onnx_graph({"X": (DOUBLE, [None, 2])}, TensorProto.UINT8), "an output of the type"),
    ],
    ids=["bytes", "vector", "open width", "two inputs", "bytes for an answer"],
)
def test_unsupported_without_a_signature(content: bytes, said: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        model_of(model_file(content))
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED
    assert said in str(caught.value)


def test_a_corrupt_graph_prints_nothing_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = onnx_graph({"X": (DOUBLE, [None, 2])}).replace(b"Identity", b"\xe5dentity")
    with pytest.raises(ModelUnavailable) as caught:
        model_of(model_file(content))
    assert caught.value.reason == Reason.MODEL_CORRUPT
    assert capsys.readouterr().out == ""


def test_text_and_labels_are_served() -> None:
    echo = model_of(model_file(onnx_graph({"X": (TEXT, [None, 1])})))
    assert echo.predict([["a"], ["b"]]).prediction == ["a", "b"]
    assert echo.output.kind is Kind.STRING
    assert model_of(model_file(TREE)).predict([ROWS[0].tolist()]).prediction == [
        int(ROWS[0, 0] > 0)
    ]


@pytest.mark.parametrize("path", ["/predict", "/v2/models/demo/infer"])
@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**63 - 1])
def test_an_integer_above_the_type_of_the_graph_is_refused(path: str, value: int) -> None:
    model = model_of(model_file(onnx_graph({"X": (TensorProto.INT32, [None, 2])})))
    handle = serve("demo", "3", model, 10).endpoints[path].handle
    tensors = [
        {"name": f"feature{place}", "shape": [1], "datatype": "INT32", "data": [data]}
        for place, data in ((1, value), (2, 7))
    ]
    body = {"features": [value, 7]} if path == "/predict" else {"inputs": tensors}
    with pytest.raises(InvalidInput, match="out_of_range"):
        handle(json.dumps(body).encode())
    assert model.predict([[2**31 - 1, -(2**31)]]).prediction == [[2**31 - 1, -(2**31)]]


@pytest.mark.parametrize("value", [3.5e38, -1e39, 1e308])
def test_a_double_above_the_floats_of_the_graph_is_refused(value: float) -> None:
    model = model_of(model_file(onnx_graph({"X": (SINGLE, [None, 2])})))
    assert model.predict([[3.4e38, 1e-50]]).prediction == [[pytest.approx(3.4e38), 0.0]]
    with pytest.raises(InvalidInput, match="out_of_range"):
        model.predict([[1.0, value]])


def test_columns_that_no_input_has_are_refused() -> None:
    inputs = dict.fromkeys("ac", (int(DOUBLE), [None, 1]))
    columns = [{"type": "double", "name": name} for name in "ab"]
    with pytest.raises(ModelUnavailable, match=r"inputs \['a', 'c'\], where its signature"):
        model_of(ModelFiles("demo", "3", onnx_graph(inputs), mlmodel(columns)))


@pytest.mark.parametrize(
    ("kind", "element", "fits"),
    [
        ("double", INTEGER, False),
        ("double", TRUTH, False),
        ("long", TRUTH, False),
        ("string", DOUBLE, False),
        ("double", TEXT, False),
        ("boolean", TEXT, False),
        ("long", DOUBLE, True),
        ("long", SINGLE, True),
        ("boolean", DOUBLE, True),
        ("boolean", INTEGER, True),
        ("boolean", TRUTH, True),
    ],
)
@pytest.mark.parametrize("matrix", [True, False])
def test_types_that_do_not_match_are_refused(
    kind: str, element: int, fits: bool, matrix: bool
) -> None:
    inputs = {"X": (element, [None, 2])} if matrix else dict.fromkeys("ab", (element, [None, 1]))
    columns = [{"type": kind, "name": name} for name in "ab"]
    found = ModelFiles("demo", "3", onnx_graph(inputs), mlmodel(columns))
    if fits:
        assert model_of(found).signature.columns[0].name == "a"
        return
    with pytest.raises(ModelUnavailable, match=r"where its signature has the .* 'a'") as caught:
        model_of(found)
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED


@pytest.mark.parametrize("metadata", [{}, {"example": [1.0, 2.0]}])
def test_a_graph_that_refuses_a_row_of_zeros_is_served(metadata: dict[str, object]) -> None:
    model = model_of(model_file(with_metadata(onnx_function("Log"), **metadata)))
    assert model.output.width == 2
    assert model.output.kind is Kind.NUMBER
    assert model.predict([[1.0, 1.0]]).prediction == [[0.0, 0.0]]
    with pytest.raises(InvalidInput, match="out_of_range"):
        model.predict([[0.0, 0.0]])


def test_a_graph_that_fails_with_any_row_is_not_served() -> None:
    with pytest.raises(ModelUnavailable, match="Reshape") as caught:
        model_of(model_file(onnx_reshape()))
    assert caught.value.reason == Reason.MODEL_CORRUPT


def test_the_example_is_in_the_order_of_the_graphs_inputs() -> None:
    inputs = {"b": (TEXT, [None, 1]), "a": (DOUBLE, [None, 1])}
    columns = [{"type": kind, "name": name} for name, kind in (("a", "double"), ("b", "string"))]
    content = with_metadata(onnx_graph(inputs), example=["Oslo", 2.5])
    model = model_of(ModelFiles("demo", "3", content, mlmodel(columns)))
    assert model.predict([[2.5, "Rome"]]).prediction == ["Rome"]


@pytest.mark.parametrize("example", [[0.0, 0.0], [1.0], ["a", "b"], 7])
def test_a_graph_that_refuses_its_own_example_is_not_served(example: object) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        model_of(model_file(with_metadata(onnx_function("Log"), example=example)))
    assert caught.value.reason == Reason.MODEL_CORRUPT


def probabilities() -> bytes:
    """A classifier's labels and probabilities."""
    fitted = LogisticRegression().fit(ROWS, ROWS[:, 0] > 0)
    model = to_onnx(fitted, ROWS[:1], options={id(fitted): {"zipmap": False}})
    content: bytes = model.SerializeToString()
    return content


def test_probabilities_that_are_not_one_for_each_class_are_refused() -> None:
    with pytest.raises(ModelUnavailable, match="probabilities for its 3 classes") as caught:
        model_of(model_file(with_metadata(probabilities(), classes=[1, 2, 3])))
    assert caught.value.reason == Reason.MODEL_UNSUPPORTED
