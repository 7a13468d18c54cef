"""Decodes and validates the rows of a request."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from serving.endpoint import InvalidInput
from serving.models.signature import Column, Kind, Signature

Row = Sequence[Any]
Rows = list[Row]

_INT64_MAX = 2**63 - 1

_TYPES: dict[Kind, Any] = {
    Kind.NUMBER: float,
    Kind.INTEGER: Annotated[int, msgspec.Meta(ge=-_INT64_MAX - 1, le=_INT64_MAX)],
    Kind.BOOLEAN: bool,
    Kind.STRING: str,
    Kind.DATETIME: str,
}

#: Kinds of values that JSON writes as strings.
TEXTS = frozenset((Kind.STRING, Kind.DATETIME))


def _type(column: Column) -> Any:  # noqa: ANN401
    return _TYPES[column.kind] | None if column.nullable else _TYPES[column.kind]


def row_type(signature: Signature) -> type[Row]:
    """The type of one row by position; None for a missing value."""
    count = len(signature.columns)
    if signature.numeric and not any(column.nullable for column in signature.columns):
        meta = msgspec.Meta(min_length=count, max_length=count)
        return Annotated[list[float], meta]  # type: ignore[return-value]
    return tuple[tuple(map(_type, signature.columns))]  # type: ignore[misc,return-value]


def record_type(signature: Signature) -> type[msgspec.Struct]:
    """The type of one row by name: every column once, and no other; nullable ones may be absent."""
    names = [f"c{index}" for index in range(len(signature.columns))]
    fields = [
        (name, _type(column), None) if column.nullable else (name, _type(column))
        for name, column in zip(names, signature.columns, strict=True)
    ]
    rename = dict(zip(names, (column.name for column in signature.columns), strict=True))
    return msgspec.defstruct(
        "Record", fields, rename=rename, forbid_unknown_fields=True, kw_only=True
    )


class Decoder:
    """Decodes `{"features": ...}`: a row, rows, a record by column name, or records.

    Raises InvalidInput for anything else: an unknown or repeated key, a wrong number of features,
    booleans or text instead of numbers, NaN and 1e999, fractions instead of integers or integers
    above 64 bits, no rows, or more than `max_rows`.
    """

    def __init__(self, signature: Signature, max_rows: int) -> None:
        """Prepares msgspec's decoders, one for each form; the most common form first."""
        row, record = row_type(signature), record_type(signature)
        self._names = frozenset(column.name for column in signature.columns)
        self._required = frozenset(it.name for it in signature.columns if not it.nullable)
        self._max_rows = max_rows
        #: Number of strings in a row, by position and by name; below zero if it is not the same for
        #: each row, as values may be missing.
        self._texts = sum(column.kind in TEXTS for column in signature.columns)
        self._named_texts = self._texts + len(signature.columns)
        if len(self._required) < len(self._names):
            self._texts = self._named_texts = -1
        #: Decodes one row by position, without a check for repeated keys.
        self.row = _decoder(row)
        several = msgspec.Meta(min_length=1, max_length=max_rows)
        self._rows = _decoder(Annotated[list[row], several])  # type: ignore[valid-type]
        self._record = _decoder(record)
        self._records = _decoder(Annotated[list[record], several])  # type: ignore[valid-type]

    def __call__(self, body: bytes) -> Rows:
        """The rows of a request."""
        try:
            row: Row = self.row(body).features
        except (ValueError, RecursionError):  # all errors of msgspec are ValueErrors
            return self._other_forms(body)
        return _once(body, [row], self._texts)

    def _other_forms(self, body: bytes) -> Rows:
        # A body of another form fails at its first bytes, so no body is parsed twice to its end.
        for decode, to_rows, texts in (
            (self._rows, list, self._texts),
            (self._record, _of_record, self._named_texts),
            (self._records, _of_records, self._named_texts),
        ):
            try:
                rows: Rows = to_rows(decode(body).features)
            except (ValueError, RecursionError):
                continue
            return _once(body, rows, texts)
        raise InvalidInput(self._reason(body))

    def _reason(self, body: bytes) -> str:
        try:
            value = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return "not_json"
        if not isinstance(value, dict):
            return "not_an_object"
        if value.keys() != {"features"}:
            return "unknown_key" if "features" in value else "features_missing"
        features = value["features"]
        if isinstance(features, list) and features and isinstance(features[0], list | dict):
            if len(features) > self._max_rows:
                return "too_many_rows"
            reasons = map(self._reason_of_row, features)
            return next((reason for reason in reasons if reason != "wrong_type"), "wrong_type")
        return self._reason_of_row(features)

    def _reason_of_row(self, row: object) -> str:
        if isinstance(row, list) and len(row) != len(self._names):
            return "feature_count"
        if isinstance(row, dict) and row.keys() - self._names:
            return "unknown_column"
        if isinstance(row, dict) and self._required - row.keys():
            return "missing_column"
        return "wrong_type"


def _decoder(features: object) -> Callable[[bytes], Any]:
    request = msgspec.defstruct("Request", [("features", features)], forbid_unknown_fields=True)
    return msgspec.json.Decoder(request).decode


def _of_record(record: msgspec.Struct) -> Rows:
    return [msgspec.structs.astuple(record)]


def _of_records(records: list[msgspec.Struct]) -> Rows:
    return [msgspec.structs.astuple(record) for record in records]


def _once(body: bytes, rows: Rows, texts: int) -> Rows:
    """The rows, each with this many strings (see Decoder); raises InvalidInput for a repeated key.

    A repeated key adds quotation marks: only if there are more than those of the strings and of the
    one key is the body parsed again.
    """
    if body.count(b'"') != 2 + 2 * texts * len(rows) and repeats_a_key(body):
        raise InvalidInput("duplicate_key")
    return rows


def repeats_a_key(body: bytes) -> bool:
    """Whether an object in the body has a repeated key, which msgspec accepts."""

    def check(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise InvalidInput("duplicate_key")

    try:
        json.loads(body, object_pairs_hook=check)
    except InvalidInput:
        return True
    return False
