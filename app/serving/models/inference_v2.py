"""The Open Inference Protocol, version 2, over REST with JSON tensors.

Specification: https://github.com/kserve/open-inference-protocol, `specification/protocol`. The
binary extension is not supported, and the server metadata does not list it.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from serving.endpoint import Endpoint, InvalidInput
from serving.models.model import Answer, Model
from serving.models.rows import Row, Rows, repeats_a_key, row_type
from serving.models.signature import Kind

#: The only tensor of a model whose columns are all numbers.
FEATURES = "features"

_DATATYPES = {
    Kind.NUMBER: "FP64",
    Kind.INTEGER: "INT64",
    Kind.BOOLEAN: "BOOL",
    Kind.STRING: "BYTES",
    Kind.DATETIME: "BYTES",
}
#: Accepted datatypes: JSON encodes both in the same way.
_ACCEPTED = {
    Kind.NUMBER: frozenset(("FP64", "FP32")),
    Kind.INTEGER: frozenset(("INT64", "INT32")),
    Kind.BOOLEAN: frozenset(("BOOL",)),
    Kind.STRING: frozenset(("BYTES",)),
    Kind.DATETIME: frozenset(("BYTES",)),
}

_INVALID = b'{"error":"invalid inference request: %b"}'

#: Valid values of `id`, the only input that a response repeats.
ID_PATTERN = "^[A-Za-z0-9._-]{0,128}$"
_ID = ID_PATTERN.replace("$", r"\Z")  # in Python, `$` also matches before a final newline


class Tensor(msgspec.Struct):
    """A tensor of a request; its data may be flat or nested by rows."""

    name: str
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(max_length=2)]
    datatype: str
    data: list[Any]


class RequestedOutput(msgspec.Struct):
    """A requested output; its parameters are ignored."""

    name: str


class Request(msgspec.Struct):
    """An inference request. Without `outputs` it requests all of them."""

    inputs: list[Tensor]
    id: Annotated[str, msgspec.Meta(pattern=_ID)] | None = None
    outputs: list[RequestedOutput] | None = None


class OutputTensor(msgspec.Struct):
    """A tensor of a response, with flat data."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Response(msgspec.Struct, omit_defaults=True):
    """An inference response."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None


def endpoints(name: str, version: str, model: Model, max_rows: int) -> Mapping[str, Endpoint]:
    """Metadata, readiness and inference, by paths with and without the version.

    A name with characters that are not valid in a path also has paths with its quoted form.
    """
    metadata = msgspec.json.encode(_metadata(name, version, model))
    inference = Inference(name, version, model, max_rows)
    below = {
        "": Endpoint("GET", lambda _: metadata),
        "/ready": Endpoint("GET", lambda _: b'{"ready":true}'),
        "/infer": Endpoint("POST", inference, counted=True, slow=model.slow),
    }
    return {
        f"/v2/models/{written}{part}{path}": endpoint
        for written in (name, quoted(name))
        for part in ("", f"/versions/{version}")
        for path, endpoint in below.items()
    }


def quoted(name: str) -> str:
    """The name of a model as one segment of a path."""
    return quote(name, safe="")


class Inference:
    """Handles inference requests of one model."""

    def __init__(self, name: str, version: str, model: Model, max_rows: int) -> None:
        """Prepares the decoder of requests."""
        self._name, self._version, self._model = name, version, model
        self._max_rows = max_rows
        self._names = {output["name"] for output in _metadata(name, version, model)["outputs"]}
        self._rows_type = list[row_type(model.signature)]  # type: ignore[misc]
        self._decode = msgspec.json.Decoder(Request).decode

    def __call__(self, body: bytes) -> bytes:
        """From a complete request body to a complete response body."""
        try:
            request = self._decode(body)
        except (ValueError, RecursionError):
            raise _invalid("not_a_request") from None
        wanted = {output.name for output in request.outputs or ()} or self._names
        try:
            if not wanted <= self._names:
                raise InvalidInput("unknown_output")
            rows = self._rows(request.inputs)
            _check_keys(body, request)
            answer = self._model.predict(rows)
        except InvalidInput as error:
            raise _invalid(error.reason) from None
        outputs = [output for output in self._outputs(answer) if output.name in wanted]
        return msgspec.json.encode(Response(self._name, self._version, outputs, request.id))

    def _rows(self, inputs: list[Tensor]) -> Rows:
        signature = self._model.signature
        values: Sequence[Row] = (
            _matrix(inputs, self._max_rows, len(signature.columns))
            if signature.numeric
            else self._by_column(inputs)
        )
        try:
            rows: Rows = msgspec.convert(values, self._rows_type)
        except ValueError:
            raise InvalidInput("wrong_type") from None
        return rows

    def _by_column(self, inputs: list[Tensor]) -> list[tuple[Any, ...]]:
        by_name = {tensor.name: tensor for tensor in inputs}
        columns = self._model.signature.columns
        if len(by_name) != len(inputs) or by_name.keys() != {column.name for column in columns}:
            raise InvalidInput("wrong_inputs")
        tensors = [by_name[column.name] for column in columns]
        flat = [
            _values(tensor, column.kind, self._max_rows, 1)
            for column, tensor in zip(columns, tensors, strict=True)
        ]
        if len({len(values) for values in flat}) != 1:
            raise InvalidInput("wrong_shape")
        return list(zip(*flat, strict=True))

    def _outputs(self, answer: Answer) -> list[OutputTensor]:
        output = self._model.output
        outputs = [_tensor("prediction", _DATATYPES[output.kind], answer.prediction)]
        if answer.probabilities is not None:
            outputs.append(_tensor("probabilities", "FP64", answer.probabilities))
        return outputs


def _matrix(inputs: list[Tensor], max_rows: int, width: int) -> list[list[Any]]:
    if len(inputs) != 1 or inputs[0].name != FEATURES:
        raise InvalidInput("wrong_inputs")
    flat = _values(inputs[0], Kind.NUMBER, max_rows, width)
    return [flat[start : start + width] for start in range(0, len(flat), width)]


def _values(tensor: Tensor, kind: Kind, max_rows: int, width: int) -> list[Any]:
    """The flat values of [rows, width], or of [rows] if the width is 1."""
    if tensor.datatype not in _ACCEPTED[kind]:
        raise InvalidInput("wrong_datatype")
    shape = tensor.shape if len(tensor.shape) == 2 or width > 1 else [*tensor.shape, 1]
    if len(shape) != 2 or shape[1] != width or shape[0] == 0:
        raise InvalidInput("wrong_shape")
    if shape[0] > max_rows:
        raise InvalidInput("too_many_rows")
    data = tensor.data
    if all(isinstance(row, list) and len(row) == width for row in data):
        data = list(chain.from_iterable(data))
    if len(data) != shape[0] * width:
        raise InvalidInput("wrong_shape")
    return data


def _check_keys(body: bytes, request: Request) -> None:
    """Refuses a repeated key; parses again only if there are more quotation marks than expected."""
    quotes = 2 + 4 * (request.id is not None) + 12 * len(request.inputs)
    try:
        repeats = body.count(b'"') != quotes and repeats_a_key(body)
    except (ValueError, RecursionError):  # in fields that the decoder ignores
        raise InvalidInput("not_a_request") from None
    if repeats:
        raise InvalidInput("duplicate_key")


def _tensor(name: str, datatype: str, rows: list[Any]) -> OutputTensor:
    if isinstance(rows[0], list):
        return OutputTensor(
            name, [len(rows), len(rows[0])], datatype, list(chain.from_iterable(rows))
        )
    return OutputTensor(name, [len(rows)], datatype, rows)


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(reason, _INVALID % reason.encode())


def _metadata(name: str, version: str, model: Model) -> dict[str, Any]:
    columns, output = model.signature.columns, model.output
    inputs = (
        [{"name": FEATURES, "datatype": "FP64", "shape": [-1, len(columns)]}]
        if model.signature.numeric
        else [
            {"name": column.name, "datatype": _DATATYPES[column.kind], "shape": [-1, 1]}
            for column in columns
        ]
    )
    outputs: list[dict[str, Any]] = [
        {
            "name": "prediction",
            "datatype": _DATATYPES[output.kind],
            "shape": [-1] if output.width == 1 else [-1, output.width],
        }
    ]
    if output.classes is not None:
        shape = [-1, len(output.classes)]
        outputs.append({"name": "probabilities", "datatype": "FP64", "shape": shape})
    return {
        "name": name,
        "versions": [version],
        "platform": model.served_as.replace(":", "_"),
        "inputs": inputs,
        "outputs": outputs,
    }
