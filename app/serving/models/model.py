"""The interface of a loaded model."""

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from serving.models.rows import Rows
from serving.models.signature import Kind, Signature


@dataclass(frozen=True)
class Output:
    """The output for one row."""

    #: Type of a value of the prediction.
    kind: Kind = Kind.NUMBER
    #: Number of values in the prediction of one row; above 1 it is a list.
    width: int = 1
    #: The labels of a classifier, in the order of its probabilities.
    classes: tuple[Any, ...] | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """One entry for each row; the response body of `/predict`."""

    prediction: list[Any]
    probabilities: list[list[float]] | None = None


class Model(Protocol):
    """A loaded model, independent of its runtime."""

    signature: Signature
    output: Output
    #: How it is served: `linear`, `onnx`, or `mlflow:` and the flavour.
    served_as: str
    #: Why no faster form is used; None for a faster form.
    why: str | None
    #: A prediction may take longer than a millisecond.
    slow: bool
    #: Number of libraries that are missing, or of another version than the model was logged with.
    library_differences: int

    def predict(self, rows: Rows) -> Answer:
        """Predicts rows that match the signature; raises InvalidInput if a result overflows."""
        ...
