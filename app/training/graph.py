"""Corrects differences between a graph and its estimator, and adds metadata for the service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper
from skl2onnx.common import _container

#: The keys of a graph's metadata. The values are JSON: the labels of the columns of a classifier's
#: probabilities, an example row, and the outputs of encoders that refuse unknown categories, which
#: they encode as a number below zero.
CLASSES, EXAMPLE, CATEGORY_CODES = "classes", "example", "category_codes"

#: By numpy's type code: types of labels that the converter turns into integers.
_CAST_LABELS = {"b": TensorProto.BOOL, "f": TensorProto.DOUBLE}

#: A category that no estimator has.
_NO_CATEGORY = helper.make_tensor("no_category", TensorProto.INT64, [], [-(2**63)])


def complete(
    model: ModelProto, labels: str | None, classes: list[Any] | None, example: list[Any] | None
) -> None:
    """Keeps the prediction, and the probabilities if there are `classes`, and adds the metadata.

    `labels` is numpy's type code of a classifier's labels.
    """
    graph = model.graph
    del graph.output[2 if classes else 1 :]
    if labels in _CAST_LABELS and graph.output[0].type.tensor_type.elem_type == TensorProto.INT64:
        _cast_labels(graph, _CAST_LABELS[labels])
    _keep_fractions(graph)
    codes = [node.output[0] for node in graph.node if _encodes_known_categories(node)]
    for name in codes:
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.INT64, None))
    metadata = {CLASSES: classes, EXAMPLE: example, CATEGORY_CODES: codes}
    for key, value in metadata.items():
        if value:
            model.metadata_props.add(key=key, value=json.dumps(value))


def in_float32(model: ModelProto) -> bool:
    """Whether a part is only computed in float32: an input, or the parameters of an operator.

    Operators of `ai.onnx.ml` have their numbers in attributes, which have no other float type.
    """
    single = {AttributeProto.FLOAT, AttributeProto.FLOATS}
    return any(
        given.type.tensor_type.elem_type == TensorProto.FLOAT for given in model.graph.input
    ) or any(
        node.domain == "ai.onnx.ml" and single & {part.type for part in node.attribute}
        for node in model.graph.node
    )


@contextmanager
def flags_as_numbers() -> Iterator[None]:
    """Lets skl2onnx convert histogram trees: it passes booleans, and onnx accepts only numbers."""
    original = _container.make_node

    def make_node(*names: Any, **attributes: Any) -> NodeProto:  # noqa: ANN401
        numbers = {
            key: [int(item) if isinstance(item, bool) else item for item in value]
            if isinstance(value, list)
            else value
            for key, value in attributes.items()
        }
        node: NodeProto = original(*names, **numbers)
        return node

    _container.make_node = make_node
    try:
        yield
    finally:
        _container.make_node = original


def _cast_labels(graph: GraphProto, element: int) -> None:
    """Casts the integers that the converter made of booleans and floats back to labels."""
    output = graph.output[0]
    integers = f"{output.name}_as_integers"
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [integers if name == output.name else name for name in names]
    graph.node.append(helper.make_node("Cast", [integers], [output.name], to=element))
    output.type.tensor_type.elem_type = element


def _keep_fractions(graph: GraphProto) -> None:
    """Keeps one-hot encoders from encoding 1.5 as the category 1, due to the cast of the converter.

    Fractions become a number that is no category, which each encoder handles as it is configured.
    """
    integers = {
        given.name for given in graph.input if given.type.tensor_type.elem_type == TensorProto.INT64
    }
    casts = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
    nodes: list[NodeProto] = []
    for node in graph.node:
        cut = node.input[0] if node.op_type == "OneHotEncoder" else ""
        if cut in casts and casts[cut] not in integers:
            back, same, whole = (f"{cut}_{step}" for step in ("back", "same", "whole"))
            nodes += [
                helper.make_node("CastLike", [cut, casts[cut]], [back]),
                helper.make_node("Equal", [back, casts[cut]], [same]),
                helper.make_node("Where", [same, cut, _NO_CATEGORY.name], [whole]),
            ]
            node.input[0] = whole
        nodes.append(node)
    if len(nodes) > len(graph.node):
        graph.initializer.append(_NO_CATEGORY)
        del graph.node[:]
        graph.node.extend(nodes)


def _encodes_known_categories(node: NodeProto) -> bool:
    """Whether it is an encoder that refuses unknown categories: its implicit default is -1."""
    names = {part.name for part in node.attribute}
    return (
        node.op_type == "LabelEncoder"
        and "values_int64s" in names
        and not any(name.startswith("default_") for name in names)
    )
