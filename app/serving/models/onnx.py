"""Every other model: whatever scikit-learn estimator or pipeline became an ONNX graph."""

import ctypes
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

# onnxruntime reports to its vendor unless told before import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import numpy.typing as npt
import onnxruntime

from serving.endpoint import InvalidInput
from serving.models.model import Answer, Output
from serving.models.rows import Rows
from serving.models.signature import Kind, Signature, Unsupported, unnamed

_KINDS = {
    "tensor(double)": Kind.NUMBER,
    "tensor(float)": Kind.NUMBER,
    "tensor(int64)": Kind.INTEGER,
    "tensor(int32)": Kind.INTEGER,
    "tensor(bool)": Kind.BOOLEAN,
    "tensor(string)": Kind.STRING,
}

_DTYPES: dict[str, Any] = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}

#: The key of a graph's metadata under which the training job keeps a classifier's labels, as JSON.
CLASSES = "classes"

_SAMPLES = {Kind.NUMBER: 0.0, Kind.INTEGER: 0, Kind.BOOLEAN: False, Kind.STRING: ""}


class OnnxModel:
    """A graph of one input [rows, N], or of one input [rows, 1] for each column.

    Its first output is the prediction; a second, of a classifier, the probabilities.
    """

    def __init__(self, content: bytes, signature: Signature | None) -> None:
        """Loads the graph, and answers one row, so that no first request pays for it.

        Raises Unsupported for a graph of another shape than the signature's, and whatever
        onnxruntime raises for one that it cannot run.
        """
        self._session = onnxruntime.InferenceSession(
            content, _options(), providers=["CPUExecutionProvider"]
        )
        inputs = self._session.get_inputs()
        for given in inputs:
            if given.type not in _DTYPES:
                raise Unsupported(f"the input {given.name!r} of the type {given.type}")
        self.signature = signature or _signature_of(inputs)
        self._inputs = [(given.name, _DTYPES[given.type]) for given in inputs]
        self._columns = _columns_of(inputs, self.signature)
        metadata = self._session.get_modelmeta().custom_metadata_map
        classes = json.loads(metadata[CLASSES]) if CLASSES in metadata else None
        self._outputs = [given.name for given in self._session.get_outputs()][: 2 if classes else 1]
        kind = _KINDS.get(self._session.get_outputs()[0].type)
        if kind is None:
            raise Unsupported(f"an output of the type {self._session.get_outputs()[0].type}")
        sample = self.predict([[_SAMPLES[column.kind] for column in self.signature.columns]])
        width = len(sample.prediction[0]) if isinstance(sample.prediction[0], list) else 1
        self.output = Output(kind, width, tuple(classes) if classes else None)
        _give_memory_back()

    def predict(self, rows: Rows) -> Answer:
        """Answers rows that fit the signature; InvalidInput where the arithmetic overflows."""
        if self._columns is None:
            name, dtype = self._inputs[0]
            feed = {name: _array(rows, dtype)}
        else:
            values = list(zip(*rows, strict=True))
            feed = {
                name: _array([(value,) for value in values[index]], dtype)
                for (name, dtype), index in zip(self._inputs, self._columns, strict=True)
            }
        first, *others = self._session.run(self._outputs, feed)
        if first.ndim == 2 and first.shape[1] == 1:
            first = first[:, 0]
        for array in (first, *others):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise InvalidInput("out_of_range")
        return Answer(first.tolist(), others[0].tolist() if others else None)


def _array(rows: Sequence[object], dtype: npt.DTypeLike) -> "np.ndarray[Any, Any]":
    with np.errstate(over="ignore"):  # what overflows is refused below
        array = np.array(rows, dtype=dtype)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInput("out_of_range")  # a double that the model's float cannot hold
    return array


def _give_memory_back() -> None:
    """Returns to the system what only building the graph needed: a sixth of a forest's process."""
    with suppress(AttributeError):  # a C library other than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One thread: a row is too small to share out, and a pool sized by the machine's cores spins
    # away the pod's CPU quota.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def _is_matrix(inputs: list[Any]) -> bool:
    shape = inputs[0].shape
    return len(inputs) == 1 and len(shape) == 2 and shape[1] != 1


def _signature_of(inputs: list[Any]) -> Signature:
    if len(inputs) != 1 or len(inputs[0].shape) != 2 or not isinstance(inputs[0].shape[1], int):
        found = ", ".join(f"{given.name}: {given.type} {given.shape}" for given in inputs)
        raise Unsupported(f"{found}; without a signature it must be one input of [rows, N]")
    return unnamed(_KINDS[inputs[0].type], inputs[0].shape[1])


def _columns_of(inputs: list[Any], signature: Signature) -> list[int] | None:
    """Which column goes into which input; None where all go into one."""
    if _is_matrix(inputs):
        width = inputs[0].shape[1]
        if isinstance(width, int) and width != len(signature.columns):
            raise Unsupported(
                f"{width} numbers, where its signature has {len(signature.columns)} columns"
            )
        return None
    places = {column.name: index for index, column in enumerate(signature.columns)}
    if len(inputs) == 1 and len(places) == 1:
        return [0]
    names = [given.name for given in inputs]
    if sorted(names) != sorted(places):
        raise Unsupported(f"inputs {names}, where its signature has the columns {list(places)}")
    return [places[name] for name in names]
