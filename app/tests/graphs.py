"""Handwritten ONNX graphs and MLmodel files."""

import json
from collections.abc import Mapping, Sequence

import yaml
from onnx import ModelProto, NodeProto, TensorProto, helper

from tests.files import ModelFiles

DOUBLE, SINGLE, TEXT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.STRING
INTEGER, TRUTH = TensorProto.INT64, TensorProto.BOOL


def model_file(content: bytes) -> ModelFiles:
    return ModelFiles("demo", "3", content, None)


def onnx_graph(
    inputs: Mapping[str, tuple[int, list[int | None]]], answer: int | None = None
) -> bytes:
    """A graph that returns its first input, or casts it to the type `answer`."""
    first = next(iter(inputs))
    element, shape = inputs[first]
    cast = helper.make_node("Cast", [first], ["Y"], to=answer or element)
    node = cast if answer else helper.make_node("Identity", [first], ["Y"])
    return _graph(node, inputs, (answer or element, shape))


def onnx_function(operator: str, width: int | None = 2) -> bytes:
    """A graph with one operator on two numbers."""
    numbers = {"X": (int(DOUBLE), [None, 2])}
    return _graph(helper.make_node(operator, ["X"], ["Y"]), numbers, (DOUBLE, [None, width]))


def onnx_reshape() -> bytes:
    """A graph that fails unless it gets seven rows."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [7, 2])
    node = helper.make_node("Reshape", ["X", "shape"], ["Y"])
    return _graph(node, {"X": (DOUBLE, [None, 2])}, (DOUBLE, [None, 2]), shape)


def _graph(
    node: NodeProto,
    inputs: Mapping[str, tuple[int, Sequence[int | None]]],
    output: tuple[int, Sequence[int | None]],
    *constants: TensorProto,
) -> bytes:
    taken = [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()]
    given = [helper.make_tensor_value_info("Y", *output)]
    graph = helper.make_graph([node], "graph", taken, given, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def with_metadata(content: bytes, **metadata: object) -> bytes:
    """A graph with metadata of the training job."""
    model = ModelProto.FromString(content)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=json.dumps(value))
    noted: bytes = model.SerializeToString()
    return noted


def mlmodel(inputs: object, **metadata: str) -> bytes:
    text = inputs if isinstance(inputs, str) else json.dumps(inputs)
    signature = {"inputs": text} if inputs else None
    return yaml.safe_dump({"signature": signature, "metadata": metadata}).encode()
