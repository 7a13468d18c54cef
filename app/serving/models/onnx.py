"""All other models: scikit-learn estimators and pipelines as ONNX graphs."""

import ctypes
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from serving.endpoint import InvalidInput
from serving.models.arrays import SAMPLES, array_of
from serving.models.model import Answer, Output
from serving.models.onnx_graph import Feed, classes_of, in_batches
from serving.models.rows import Row, Rows
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

#: Column types that can be converted to an input of each type without loss.
_FITTING = {
    Kind.NUMBER: frozenset((Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN)),
    Kind.INTEGER: frozenset((Kind.INTEGER, Kind.BOOLEAN)),
    Kind.BOOLEAN: frozenset((Kind.BOOLEAN,)),
    Kind.STRING: frozenset((Kind.STRING,)),
}

#: The keys of a graph's metadata with the JSON of the training job: the labels of a classifier, an
#: example row (in the order of the inputs), and the names of outputs that encode categories, where
#: a number below zero is a category that the estimator refuses.
CLASSES, EXAMPLE, CATEGORY_CODES = "classes", "example", "category_codes"

#: onnxruntime's error message for a category that a one-hot encoder refuses.
_UNKNOWN_CATEGORY = "Unknown Category"


class OnnxModel:
    """A graph of one input [rows, N], or of one input [rows, 1] for each column.

    Its first output is the prediction. The second output of a classifier is the probabilities: an
    array, or a map for each row.
    """

    served_as = "onnx"
    why: str | None = None
    slow = False
    library_differences = 0

    def __init__(
        self, content: bytes, signature: Signature | None, file: Path | None = None
    ) -> None:
        """Loads the graph, and runs it on one row, so that the first request is not slower.

        A graph with weights in other files needs its own `file`, beside which they are. Raises
        Unsupported for a graph that does not match the signature, and onnxruntime's exceptions for
        one that it cannot run.
        """
        # Without fallback: it would print to standard output.
        self._session = onnxruntime.InferenceSession(
            str(file or "") or content,
            _options(),
            providers=["CPUExecutionProvider"],
            enable_fallback=0,
        )
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for given in inputs:
            if given.type not in _DTYPES:
                raise Unsupported(f"the input {given.name!r} of the type {given.type}")
        if outputs[0].type not in _KINDS:
            raise Unsupported(f"an output of the type {outputs[0].type}")
        # Only a float can be missing in a graph: it is NaN there.
        self.signature = (signature or _signature_of(inputs)).with_nullable(
            lambda column: column.nullable and column.kind is Kind.NUMBER
        )
        self._inputs = [(given.name, _DTYPES[given.type]) for given in inputs]
        self._columns = _columns_of(inputs, self.signature)
        self._batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
        _check_kinds(inputs, self._columns, self.signature)
        metadata = self._session.get_modelmeta().custom_metadata_map
        classes, example, codes = (
            json.loads(metadata.get(key, "null")) for key in (CLASSES, EXAMPLE, CATEGORY_CODES)
        )
        classes = classes or classes_of(content, outputs, _KINDS[outputs[0].type])
        self._classes = classes
        answers = [given.name for given in outputs][: 2 if classes else 1]
        self._outputs, self._answers = [*answers, *(codes or ())], len(answers)
        self.output = _output_of(outputs, classes, self._try(example))
        _trim_memory()

    def predict(self, rows: Rows) -> Answer:
        """Predicts rows that match the signature; raises InvalidInput if the model refuses one.

        The reason is `out_of_range` if the arithmetic overflows, or `unknown_category`.
        """
        if self._columns is None:
            name, dtype = self._inputs[0]
            feed = {name: array_of(rows, dtype)}
        else:
            values = list(zip(*rows, strict=True))
            feed = {
                name: array_of([(value,) for value in values[index]], dtype)
                for (name, dtype), index in zip(self._inputs, self._columns, strict=True)
            }
        try:
            arrays = self._run(feed)
        except Fail as error:
            if _UNKNOWN_CATEGORY in str(error):
                raise InvalidInput("unknown_category") from None
            raise
        for codes in arrays[self._answers :]:
            if (codes < 0).any():
                raise InvalidInput("unknown_category")
        first, *others = map(self._array_of, arrays[: self._answers])
        if first.ndim == 2 and first.shape[1] == 1:
            first = first[:, 0]
        for array in (first, *others):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise InvalidInput("out_of_range")
        return Answer(first.tolist(), others[0].tolist() if others else None)

    def _run(self, feed: Feed) -> list[Any]:
        if self._batch is None:
            return list(self._session.run(self._outputs, feed))
        return in_batches(lambda part: self._session.run(self._outputs, part), feed, self._batch)

    def _array_of(self, output: Any) -> "np.ndarray[Any, Any]":  # noqa: ANN401
        """An output as an array; a map for each row has the labels as keys."""
        if isinstance(output, np.ndarray):
            return output
        return np.array([[row[label] for label in self._classes or ()] for row in output])

    def _try(self, example: Row | None) -> Answer | None:
        """Predicts the example, or a row of zeros if there is none: None if that is refused."""
        if example is not None:
            places = self._columns or range(len(example))
            return self.predict([[value for _, value in sorted(zip(places, example, strict=True))]])
        try:
            return self.predict([[SAMPLES[column.kind] for column in self.signature.columns]])
        except InvalidInput:
            return None


def _trim_memory() -> None:
    """Returns memory that only loading needed: a sixth of the process for a forest."""
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One thread: a row is too small to be split, and a thread pool has a spinning thread per core
    # of the machine, which would use up the CPU quota of the pod.
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
    """The index of the column of each input; None if there is one input for all columns."""
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


def _check_kinds(inputs: list[Any], places: list[int] | None, signature: Signature) -> None:
    """Refuses a signature with columns that an input would truncate or misread."""
    columns = signature.columns
    pairs = (
        [(column, inputs[0]) for column in columns]
        if places is None
        else [(columns[place], given) for place, given in zip(places, inputs, strict=True)]
    )
    for column, given in pairs:
        if column.kind not in _FITTING[_KINDS[given.type]]:
            raise Unsupported(
                f"{given.type}, where its signature has the {column.kind} {column.name!r}"
            )


def _output_of(outputs: list[Any], classes: list[Any] | None, answer: Answer | None) -> Output:
    """The output for a row: as in the prediction of the example, else as the graph declares."""
    declared = outputs[0].shape
    width = declared[1] if len(declared) == 2 and isinstance(declared[1], int) else 1
    if answer is not None:
        first = answer.prediction[0]
        width = len(first) if isinstance(first, list) else 1
        shares = answer.probabilities
        if classes and shares and [np.shape(row) for row in shares] != [(len(classes),)]:
            raise Unsupported(f"{np.shape(shares)} probabilities for its {len(classes)} classes")
    return Output(_KINDS[outputs[0].type], width, tuple(classes) if classes else None)
