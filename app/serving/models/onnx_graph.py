"""What onnxruntime does not do for a graph: fixed batch sizes, and the labels of a classifier."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.models.signature import Kind

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

Feed = Mapping[str, "np.ndarray[Any, Any]"]

#: The attributes with the labels, in the operators of classifiers and in ZipMap.
_LABELS = ("classlabels_ints", "classlabels_int64s", "classlabels_strings")

_FLOATS = ("tensor(float)", "tensor(double)")


def in_batches(run: Callable[[Feed], list[Any]], feed: Feed, size: int) -> list[Any]:
    """Runs a graph that takes exactly `size` rows.

    The last row fills the last batch; its further predictions are dropped.
    """
    count = len(next(iter(feed.values())))
    parts = [
        run({name: _filled(array[start : start + size], size) for name, array in feed.items()})
        for start in range(0, count, size)
    ]
    return [_joined(part)[:count] for part in zip(*parts, strict=True)]


def _filled(rows: "np.ndarray[Any, Any]", size: int) -> "np.ndarray[Any, Any]":
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])


def _joined(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return list(chain.from_iterable(parts))


def classes_of(content: bytes, outputs: list[Any], kind: Kind) -> list[Any] | None:
    """The labels of a classifier, in the order of its probabilities.

    None if the outputs are not a label and probabilities, or if the graph does not contain labels
    of their kind.
    """
    if len(outputs) < 2 or kind not in (Kind.INTEGER, Kind.STRING):
        return None
    shape = outputs[1].shape
    if not outputs[1].type.startswith("seq(map(") and (
        outputs[1].type not in _FLOATS or len(shape) != 2
    ):
        return None
    # Imported only if needed, for its memory.
    from onnx import ModelProto

    graph = ModelProto.FromString(content).graph
    constants = {it.name: it for it in graph.initializer if not it.external_data}
    # The last operator with labels is the one whose labels are in the output.
    found = next(filter(None, (_labels(node, constants) for node in reversed(graph.node))), None)
    if found is None or isinstance(found[0], str) is not (kind is Kind.STRING):
        return None
    width = shape[1] if len(shape) == 2 else None
    return None if isinstance(width, int) and width != len(found) else found


def _labels(node: "NodeProto", constants: Mapping[str, "TensorProto"]) -> list[Any] | None:
    from onnx import helper, numpy_helper

    for attribute in node.attribute:
        if attribute.name in _LABELS and (values := helper.get_attribute_value(attribute)):
            return _texts(values)
    if node.op_type == "ArrayFeatureExtractor" and node.input[0] in constants:
        return _texts(numpy_helper.to_array(constants[node.input[0]]).ravel().tolist())
    return None


def _texts(values: list[Any]) -> list[Any]:
    return [value.decode() if isinstance(value, bytes) else value for value in values]
