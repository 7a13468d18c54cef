"""Corrects differences between a graph and its estimator, and adds metadata for the service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from skl2onnx.common import _container

#: The keys of a graph's metadata. The values are JSON: the labels of the columns of a classifier's
#: probabilities, an example row, and the outputs of encoders that refuse unknown categories, which
#: they encode as a number below zero.
CLASSES, EXAMPLE, CATEGORY_CODES = "classes", "example", "category_codes"

#: By numpy's type code: types of labels that the converter turns into integers.
_CAST_LABELS = {"b": TensorProto.BOOL, "f": TensorProto.DOUBLE}

#: By operator: the index of the output with the numbers of trees.
_TREES = {"TreeEnsembleClassifier": 1, "TreeEnsembleRegressor": 0}

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


def trees_in_float64(model: ModelProto, rounding: bool) -> None:
    """Lets the trees of a float64 graph compute as scikit-learn's.

    Those that round their input compare float32 numbers with thresholds. The operators give float32
    numbers in any graph, where the converter declares float64.
    """
    for opset in model.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = 3  # the first with float64 numbers
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type not in _TREES:
            nodes.append(node)
            continue
        rounded, widened, single = (f"{node.name}_{step}" for step in ("f32", "f64", "out"))
        result = node.output[_TREES[node.op_type]]
        if rounding:
            nodes += [
                helper.make_node("Cast", [node.input[0]], [rounded], to=TensorProto.FLOAT),
                helper.make_node("Cast", [rounded], [widened], to=TensorProto.DOUBLE),
            ]
            node.input[0] = widened
        nodes += [node, helper.make_node("Cast", [single], [result], to=TensorProto.DOUBLE)]
        node.output[_TREES[node.op_type]] = single
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        for output in model.graph.output:
            if output.type.tensor_type.elem_type == TensorProto.FLOAT:
                output.type.tensor_type.elem_type = TensorProto.DOUBLE


def labels_of_votes(model: ModelProto) -> None:
    """Lets forests give the first label of those with the most votes, as scikit-learn's do.

    With two labels the operator compares the votes of one with a half, which sums of shares miss.
    """
    for node in list(model.graph.node):
        if node.op_type != "TreeEnsembleClassifier":
            continue
        parts = {part.name: part for part in node.attribute}
        if parts["post_transform"].s != b"NONE":
            continue
        numbers, texts = (
            list(getattr(parts[name], kind)) if name in parts else []
            for name, kind in (("classlabels_int64s", "ints"), ("classlabels_strings", "strings"))
        )
        kind = TensorProto.INT64 if numbers else TensorProto.STRING
        known, first = f"{node.name}_classes", f"{node.name}_first"
        values = numbers or texts
        model.graph.initializer.append(helper.make_tensor(known, kind, [len(values)], values))
        label, node.output[0] = node.output[0], f"{node.name}_own_label"
        place = [*model.graph.node].index(node)
        votes = helper.make_node("ArgMax", [node.output[1]], [first], axis=1, keepdims=0)
        model.graph.node.insert(place + 1, votes)
        model.graph.node.insert(place + 2, helper.make_node("Gather", [known, first], [label]))


def rename_input(graph: GraphProto, old: str, new: str) -> None:
    """Renames an input, in all nodes that use it."""
    for given in graph.input:
        if given.name == old:
            given.name = new
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


@contextmanager
def exact_attributes() -> Iterator[None]:
    """Lets skl2onnx convert histogram trees, and keep the float64 numbers of trees.

    It passes booleans, and onnx accepts only numbers. It makes float64 numbers lists of float32,
    for which the operators have tensors since their version 3.
    """
    original = _container.make_node

    def make_node(kind: str, *names: Any, **attributes: Any) -> NodeProto:  # noqa: ANN401
        exact = dict(_exact(kind, key, value) for key, value in attributes.items())
        node: NodeProto = original(kind, *names, **exact)
        return node

    _container.make_node = make_node
    try:
        yield
    finally:
        _container.make_node = original


def _exact(kind: str, key: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401
    if isinstance(value, list):
        return key, [int(item) if isinstance(item, bool) else item for item in value]
    if kind in _TREES and isinstance(value, np.ndarray) and value.dtype == np.float64:
        return f"{key}_as_tensor", numpy_helper.from_array(value.reshape(-1), key)
    return key, value


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
