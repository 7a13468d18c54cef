"""Linear models in plain Python: for a few numbers nothing is faster or smaller.

The training job stores the coefficients in the MLmodel file, once it has verified that they give
the same predictions as the ONNX file. They are stored with the SHA-256 of that file, so that they
are used for no other.
"""

import hashlib
from math import isfinite
from operator import mul

import msgspec

from serving.endpoint import Handler, InvalidInput
from serving.models.model import Answer, Output
from serving.models.rows import Decoder, Rows
from serving.models.signature import Signature


class Coefficients(msgspec.Struct, forbid_unknown_fields=True):
    """The coefficients in the MLmodel file."""

    coefficients: list[float]
    intercept: float
    #: SHA-256 of the ONNX file that gives the same predictions, in hexadecimal digits.
    onnx_sha256: str


class LinearModel:
    """The intercept and the sum of features times coefficients."""

    served_as = "linear"
    why: str | None = None
    slow = False
    library_differences = 0

    def __init__(self, signature: Signature, parameters: Coefficients) -> None:
        """Takes as many coefficients as the signature has columns."""
        self.signature = signature
        self.output = Output()
        self._coefficients = tuple(parameters.coefficients)
        self._intercept = parameters.intercept

    def predict(self, rows: Rows) -> Answer:
        """Predicts rows of numbers."""
        coefficients, intercept = self._coefficients, self._intercept
        values = [sum(map(mul, coefficients, row), intercept) for row in rows]
        # The sum is a quick check. Finite values may overflow it, so then each value is checked.
        if not isfinite(sum(values)) and not all(map(isfinite, values)):
            raise InvalidInput("out_of_range")
        return Answer(values)

    def handler(self, decode: Decoder, others: Handler) -> Handler:
        """Handles a valid request of one row, the common case, with a quarter less computing.

        All other requests go to `others`, which supports more forms and gives reasons for errors.
        """
        coefficients, intercept = self._coefficients, self._intercept
        decode_row = decode.row
        encode = msgspec.json.Encoder().encode

        def handle(body: bytes) -> bytes:
            try:
                row = decode_row(body).features
            except (ValueError, RecursionError):
                return others(body)
            value = sum(map(mul, coefficients, row), intercept)
            if isfinite(value) and body.count(b'"') == 2:  # the only key, once
                return encode(Answer([value]))
            return others(body)

        return handle


def load(signature: Signature, note: str, onnx: bytes) -> LinearModel | None:
    """The linear form of an ONNX file, or None if the note belongs to another file.

    Raises ValueError if the note cannot be read, or does not match the signature.
    """
    parameters = msgspec.json.decode(note, type=Coefficients)
    if parameters.onnx_sha256 != hashlib.sha256(onnx).hexdigest():
        return None
    if not signature.numeric or len(parameters.coefficients) != len(signature.columns):
        raise ValueError("its coefficients do not fit the columns of the model's signature")
    return LinearModel(signature.with_nullable(lambda _: False), parameters)
