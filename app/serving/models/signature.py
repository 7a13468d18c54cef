"""Reads the `MLmodel` file, in which MLflow describes a model."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import yaml


class Kind(StrEnum):
    """The type of a column."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRING = "string"
    #: ISO 8601.
    DATETIME = "datetime"


@dataclass(frozen=True)
class Column:
    """One feature of a row."""

    name: str
    kind: Kind
    #: The type as MLflow names it, such as `float` or `integer`; or numpy's, of a tensor.
    type: str = ""
    #: The value may be missing: `null`.
    nullable: bool = False


@dataclass(frozen=True)
class Signature:
    """The columns of a row, in order."""

    columns: tuple[Column, ...]
    #: The model takes one array and not a table: its columns have no names of their own.
    tensor: bool = False
    #: That array is a list of values and not of rows, as of texts.
    flat: bool = False

    @property
    def numeric(self) -> bool:
        """Whether all columns are floating-point numbers."""
        return all(column.kind is Kind.NUMBER for column in self.columns)

    def with_nullable(self, nullable: Callable[[Column], bool]) -> "Signature":
        """The same columns, of which these may be missing."""
        return replace(
            self, columns=tuple(replace(it, nullable=nullable(it)) for it in self.columns)
        )


@dataclass(frozen=True)
class Description:
    """The content of an `MLmodel` file that is used."""

    #: None if the model was registered without one.
    signature: Signature | None = None
    #: The names of the model's flavours, such as `sklearn` and `python_function`.
    flavors: tuple[str, ...] = ()
    #: The ONNX file in the model's folder; None if it has none.
    onnx_path: str | None = None
    #: The entries that the training job adds to MLflow's metadata.
    added: Mapping[str, str] = field(default_factory=dict)

    @property
    def linear(self) -> str | None:
        """The coefficients of a linear model as JSON: see serving/models/linear.py."""
        return self.added.get(LINEAR)

    @property
    def onnx_sha256(self) -> str | None:
        """SHA-256 of the ONNX file in hexadecimal digits, if the training job stored it."""
        return self.added.get(ONNX_SHA256)

    @property
    def native(self) -> bool:
        """Whether the model has a flavour that MLflow loads, beside ONNX."""
        return bool(set(self.flavors) - {"onnx", "python_function"}) or (
            "python_function" in self.flavors and "onnx" not in self.flavors
        )


class Unsupported(Exception):
    """The model needs input that the service does not support; the message says which."""


#: The keys of MLflow's metadata where the training job stores the coefficients, the path and hash
#: of an ONNX file that was proved to give the same predictions, and why there is none.
LINEAR, ONNX_PATH, ONNX_SHA256, AS_LOGGED = "linear", "onnx_path", "onnx_sha256", "as_logged"
#: The positions, as JSON, of columns of an array that may be missing: its signature does not say.
MISSING_COLUMNS = "missing_columns"
_ADDED = (LINEAR, ONNX_PATH, ONNX_SHA256, AS_LOGGED, MISSING_COLUMNS)

#: The ONNX file of a model whose description does not name it.
DEFAULT_ONNX = "model.onnx"

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
    "datetime": Kind.DATETIME,
}


def unnamed(kind: Kind, count: int, type: str = "") -> Signature:
    """Columns without names: `feature1`, `feature2` and so on."""
    numbers = range(1, count + 1)
    return Signature(tuple(Column(f"feature{it}", kind, type) for it in numbers), tensor=True)


def read(mlmodel: bytes) -> Description:
    """Reads an `MLmodel` file.

    Raises ValueError for an invalid file, and Unsupported for columns that are not supported.
    """
    try:
        _check_limits(mlmodel)
        # It makes only dicts, lists and strings: no dates, no numbers, no merges.
        document = yaml.load(mlmodel, Loader=yaml.CBaseLoader)  # noqa: S506
        texts = {key: _text(document, "metadata", key) for key in _ADDED}
        inputs = json.loads(_text(document, "signature", "inputs") or "[]")
        missing = frozenset(json.loads(texts[MISSING_COLUMNS] or "[]"))
        flavors = document.get("flavors") or {}
        names = tuple(flavors)
        own_onnx = flavors["onnx"].get("data", DEFAULT_ONNX) if "onnx" in flavors else None
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"MLmodel cannot be read: {type(error).__name__}") from None
    added = {key: text for key, text in texts.items() if text is not None}
    path = added.get(ONNX_PATH) or own_onnx or (None if names else DEFAULT_ONNX)
    return Description(_signature(inputs, missing) if inputs else None, names, path, added)


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


def _signature(inputs: list[Any], missing: frozenset[int]) -> Signature:
    try:
        if inputs[0]["type"] == "tensor":
            tensor = _of_tensor(inputs)
            gaps = {f"feature{position + 1}" for position in missing}
            return tensor.with_nullable(lambda column: column.name in gaps)
        columns = tuple(_column(index, item) for index, item in enumerate(inputs, start=1))
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"MLmodel has a signature without {error}") from None
    names = [column.name for column in columns]
    if len(set(names)) != len(names) or any(map(_ESCAPED.search, names)):
        raise Unsupported(
            f"the columns {names}; their names must differ, without what JSON escapes"
        )
    return Signature(columns)


def _column(number: int, item: dict[str, Any]) -> Column:
    kind = item["type"]
    # A table without column names has a signature without names.
    name = str(item.get("name", f"feature{number}"))
    return Column(name, _kind(kind), kind, nullable=item.get("required") is False)


def _of_tensor(inputs: list[Any]) -> Signature:
    tensor = inputs[0]["tensor-spec"]
    shape = tensor["shape"]
    if len(inputs) == 1 and len(shape) == 1:
        return replace(unnamed(_kind(tensor["dtype"]), 1, tensor["dtype"]), flat=True)
    if len(inputs) != 1 or len(shape) != 2 or not shape[1] > 0:
        raise Unsupported(f"tensors of the shape {shape}; one of [-1, N] is what can be sent")
    return unnamed(_kind(tensor["dtype"]), shape[1], tensor["dtype"])


def _kind(name: object) -> Kind:
    if not isinstance(name, str) or name not in _KINDS:
        raise Unsupported(f"a column of the type {name}")
    return _KINDS[name]
