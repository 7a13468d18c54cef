"""ONNX graphs and MLflow's descriptions of them, made by hand."""

import json
from collections.abc import Mapping

import yaml
from onnx import ModelProto, TensorProto, helper

from serving.registry import ModelFiles

DOUBLE, SINGLE, TEXT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.STRING
INTEGER, TRUTH = TensorProto.INT64, TensorProto.BOOL


def model_file(content: bytes) -> ModelFiles:
    return ModelFiles("demo", "3", content, None)


def onnx_graph(
    inputs: Mapping[str, tuple[int, list[int | None]]], answer: int | None = None
) -> bytes:
    """A graph that gives its first input back, or cast to the type `answer`."""
    infos = [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()]
    first = next(iter(inputs))
    element, shape = inputs[first]
    output = helper.make_tensor_value_info("Y", answer or element, shape)
    cast = helper.make_node("Cast", [first], ["Y"], to=answer or element)
    nodes = [cast if answer else helper.make_node("Identity", [first], ["Y"])]
    graph = helper.make_graph(nodes, "graph", infos, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def onnx_function(operator: str, width: int | None = 2) -> bytes:
    """A graph of one operator of numbers."""
    infos = [
        helper.make_tensor_value_info(*info)
        for info in (("X", DOUBLE, [None, 2]), ("Y", DOUBLE, [None, width]))
    ]
    node = helper.make_node(operator, ["X"], ["Y"])
    graph = helper.make_graph([node], "graph", infos[:1], infos[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def onnx_reshape() -> bytes:
    """A graph that fails with whatever is asked, unless that is seven rows."""
    infos = [helper.make_tensor_value_info(name, DOUBLE, [None, 2]) for name in "XY"]
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [7, 2])
    node = helper.make_node("Reshape", ["X", "shape"], ["Y"])
    graph = helper.make_graph([node], "graph", infos[:1], infos[1:], [shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def with_metadata(content: bytes, **metadata: object) -> bytes:
    """A graph with notes of the training job."""
    model = ModelProto.FromString(content)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=json.dumps(value))
    noted: bytes = model.SerializeToString()
    return noted


def mlmodel(inputs: object, **metadata: str) -> bytes:
    text = inputs if isinstance(inputs, str) else json.dumps(inputs)
    signature = {"inputs": text} if inputs else None
    return yaml.safe_dump({"signature": signature, "metadata": metadata}).encode()
