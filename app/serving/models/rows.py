"""From the bytes of a request to the rows of a model, and nothing else through."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from serving.endpoint import InvalidInput
from serving.models.signature import Kind, Signature

Row = Sequence[Any]
Rows = list[Row]

_INT64_MAX = 2**63 - 1

_TYPES: dict[Kind, Any] = {
    Kind.NUMBER: float,
    Kind.INTEGER: Annotated[int, msgspec.Meta(ge=-_INT64_MAX - 1, le=_INT64_MAX)],
    Kind.BOOLEAN: bool,
    Kind.STRING: str,
}


def row_type(signature: Signature) -> type[Row]:
    """The type of one row by position."""
    count = len(signature.columns)
    if signature.numeric:
        meta = msgspec.Meta(min_length=count, max_length=count)
        return Annotated[list[float], meta]  # type: ignore[return-value]
    return tuple[tuple(_TYPES[column.kind] for column in signature.columns)]  # type: ignore[misc,return-value]


def record_type(signature: Signature) -> type[msgspec.Struct]:
    """The type of one row by name: every column once, and no other."""
    names = [f"c{index}" for index in range(len(signature.columns))]
    fields = [
        (name, _TYPES[column.kind]) for name, column in zip(names, signature.columns, strict=True)
    ]
    rename = dict(zip(names, (column.name for column in signature.columns), strict=True))
    return msgspec.defstruct("Record", fields, rename=rename, forbid_unknown_fields=True)


class Decoder:
    """Decodes `{"features": ...}`: a row, rows, a record by column name, or records.

    Raises InvalidInput for anything else: another or a repeated key, a wrong count, booleans or
    text for numbers, NaN and 1e999, integers that are none or fit in no 64 bits, no rows, or more
    than `max_rows`.
    """

    def __init__(self, signature: Signature, max_rows: int) -> None:
        """Makes msgspec's decoders, one for each form; the one that is most used comes first."""
        row, record = row_type(signature), record_type(signature)
        self._signature = signature
        self._max_rows = max_rows
        #: Decodes one row by position, without a look at keys that are repeated.
        self.row = _decoder(row)
        several = msgspec.Meta(min_length=1, max_length=max_rows)
        self._rows = _decoder(Annotated[list[row], several])  # type: ignore[valid-type]
        self._record = _decoder(record)
        self._records = _decoder(Annotated[list[record], several])  # type: ignore[valid-type]

    def __call__(self, body: bytes) -> Rows:
        """The rows of a request."""
        try:
            row: Row = self.row(body).features
        except (ValueError, RecursionError):  # all of msgspec's errors are ValueErrors
            return self._other_forms(body)
        # Where the only text is the one key, a second pair of quotes is the key repeated.
        if body.count(b'"') != 2 and (self._signature.numeric or repeats_a_key(body)):
            raise InvalidInput("duplicate_key")
        return [row]

    def _other_forms(self, body: bytes) -> Rows:
        for decode, to_rows in (
            (self._rows, list),
            (self._record, _of_record),
            (self._records, _of_records),
        ):
            try:
                rows: Rows = to_rows(decode(body).features)
            except (ValueError, RecursionError):
                continue
            if repeats_a_key(body):
                raise InvalidInput("duplicate_key")
            return rows
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
            features = next(filter(self._is_wrong, features), features[0])
        return self._reason_of_row(features)

    def _is_wrong(self, row: object) -> bool:
        return self._reason_of_row(row) != "wrong_type"

    def _reason_of_row(self, row: object) -> str:
        names = {column.name for column in self._signature.columns}
        if isinstance(row, dict):
            if row.keys() - names:
                return "unknown_column"
            return "missing_column" if names - row.keys() else "wrong_type"
        if isinstance(row, list) and len(row) != len(names):
            return "feature_count"
        return "wrong_type"


def _decoder(features: object) -> Callable[[bytes], Any]:
    request = msgspec.defstruct("Request", [("features", features)], forbid_unknown_fields=True)
    return msgspec.json.Decoder(request).decode


def _of_record(record: msgspec.Struct) -> Rows:
    return [msgspec.structs.astuple(record)]


def _of_records(records: list[msgspec.Struct]) -> Rows:
    return [msgspec.structs.astuple(record) for record in records]


def repeats_a_key(body: bytes) -> bool:
    """Whether an object of a body that msgspec has accepted has a key twice; msgspec looks away."""

    def check(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise InvalidInput("duplicate_key")

    try:
        json.loads(body, object_pairs_hook=check)
    except InvalidInput:
        return True
    return False
