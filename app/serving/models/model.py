"""What a loaded model is to the endpoints."""

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from serving.models.rows import Rows
from serving.models.signature import Kind, Signature


@dataclass(frozen=True)
class Output:
    """What one row is answered with."""

    #: Of a value of the prediction.
    kind: Kind = Kind.NUMBER
    #: Values of one row's prediction; above 1 it is a list.
    width: int = 1
    #: The labels that a classifier knows, in the order of its probabilities.
    classes: tuple[Any, ...] | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """One entry for each row. Encoded, it is the body of a 200 of `/predict`."""

    prediction: list[Any]
    probabilities: list[list[float]] | None = None


class Model(Protocol):
    """A loaded model, whatever runs it."""

    signature: Signature
    output: Output

    def predict(self, rows: Rows) -> Answer:
        """Answers rows that fit the signature; InvalidInput where the arithmetic overflows."""
        ...
