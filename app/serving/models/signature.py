"""Reads the `MLmodel` file, in which MLflow describes a model."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml


class Kind(StrEnum):
    """The type of a column."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRING = "string"


@dataclass(frozen=True)
class Column:
    """One feature of a row."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Signature:
    """The columns of a row, in order."""

    columns: tuple[Column, ...]

    @property
    def numeric(self) -> bool:
        """Whether all columns are floating-point numbers."""
        return all(column.kind is Kind.NUMBER for column in self.columns)


@dataclass(frozen=True)
class Description:
    """The content of an `MLmodel` file that is used."""

    #: None if the model was registered without one.
    signature: Signature | None
    #: The coefficients of a linear model as JSON: see serving/models/linear.py.
    linear: str | None
    #: SHA-256 of the ONNX file in hexadecimal digits; None if the training job did not store it.
    onnx_sha256: str | None


class Unsupported(Exception):
    """The model needs input that the service does not support; the message says which."""


#: The keys of MLflow's metadata where the training job stores the coefficients, and the hash.
LINEAR, ONNX_SHA256 = "linear", "onnx_sha256"

#: Limits of an `MLmodel` file. MLflow writes six levels, and some hundred events.
_MAX_DEPTH = 32
_MAX_EVENTS = 100_000

#: Characters in a name that JSON must escape.
_ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')

#: Type names of MLflow and numpy.
_KINDS = {
    **dict.fromkeys(("double", "float", "float64", "float32"), Kind.NUMBER),
    **dict.fromkeys(("long", "integer", "int64", "int32"), Kind.INTEGER),
    **dict.fromkeys(("boolean", "bool"), Kind.BOOLEAN),
    **dict.fromkeys(("string", "str", "object"), Kind.STRING),
}


def unnamed(kind: Kind, count: int) -> Signature:
    """Columns without names: `feature1`, `feature2` and so on."""
    return Signature(tuple(Column(f"feature{number}", kind) for number in range(1, count + 1)))


def read(mlmodel: bytes) -> Description:
    """Reads an `MLmodel` file.

    Raises ValueError for an invalid file, and Unsupported for columns that are not supported.
    """
    try:
        _check_limits(mlmodel)
        # It makes only dicts, lists and strings: no dates, no numbers, no merges.
        document = yaml.load(mlmodel, Loader=yaml.CBaseLoader)  # noqa: S506
        linear, digest = (_text(document, "metadata", key) for key in (LINEAR, ONNX_SHA256))
        inputs = json.loads(_text(document, "signature", "inputs") or "[]")
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"MLmodel cannot be read: {type(error).__name__}") from None
    return Description(_signature(inputs) if inputs else None, linear, digest)


def _check_limits(mlmodel: bytes) -> None:
    """Refuses a file that is nested too deeply, as the parser recurses in C, or is too long."""
    depth = 0
    for count, event in enumerate(yaml.parse(mlmodel, Loader=yaml.CBaseLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH or count > _MAX_EVENTS:
            raise ValueError("too deep, or too long")


def _text(document: dict[str, Any], section: str, key: str) -> str | None:
    parts = document.get(section)
    value = parts.get(key) if isinstance(parts, dict) else None
    if not isinstance(value, str | None):
        raise TypeError(key)
    return value


def _signature(inputs: list[Any]) -> Signature:
    try:
        if inputs[0]["type"] == "tensor":
            return _of_tensor(inputs)
        columns = tuple(Column(str(item["name"]), _kind(item["type"])) for item in inputs)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"MLmodel has a signature without {error}") from None
    names = [column.name for column in columns]
    if len(set(names)) != len(names) or any(map(_ESCAPED.search, names)):
        raise Unsupported(
            f"the columns {names}; their names must differ, without what JSON escapes"
        )
    return Signature(columns)


def _of_tensor(inputs: list[Any]) -> Signature:
    tensor = inputs[0]["tensor-spec"]
    shape = tensor["shape"]
    if len(inputs) != 1 or len(shape) != 2 or not shape[1] > 0:
        raise Unsupported(f"tensors of the shape {shape}; one of [-1, N] is what can be sent")
    return unnamed(_kind(tensor["dtype"]), shape[1])


def _kind(name: object) -> Kind:
    if not isinstance(name, str) or name not in _KINDS:
        raise Unsupported(f"a column of the type {name}")
    return _KINDS[name]
