"""The contract of /predict: what a valid body is, and the bytes of every answer."""

from collections.abc import Callable
from typing import Annotated

import msgspec

#: Bytes; room for some 2,500 numbers written out in full.
MAX_BODY_BYTES = 64 * 1024

INVALID_INPUT = b'{"error":"Invalid input"}'
NOT_READY = b'{"error":"Model not ready"}'
METHOD_NOT_ALLOWED = b'{"error":"Method not allowed"}'
NOT_FOUND = b'{"error":"Not found"}'
INTERNAL_ERROR = b'{"error":"Internal error"}'


class InvalidInput(Exception):
    """The body is not what the contract asks for."""


class Prediction(msgspec.Struct):
    """The body of a 200."""

    prediction: list[float]


encode: Callable[[Prediction], bytes] = msgspec.json.Encoder().encode


def body_decoder(feature_count: int) -> Callable[[bytes], list[float]]:
    """Makes the decoder of `{"features": [...]}` for a model of that many features.

    The decoder raises InvalidInput for anything but one JSON object with that one key, once, and
    exactly that many finite numbers. Booleans, numbers as text, NaN and 1e999 are not numbers.
    """
    length = msgspec.Meta(min_length=feature_count, max_length=feature_count)
    request = msgspec.defstruct(
        "Request", [("features", Annotated[list[float], length])], forbid_unknown_fields=True
    )
    decode = msgspec.json.Decoder(request).decode

    def decode_body(body: bytes) -> list[float]:
        try:
            features: list[float] = decode(body).features  # type: ignore[attr-defined]
        except (ValueError, RecursionError):  # all of msgspec's errors are ValueErrors
            raise InvalidInput from None
        # A valid body has no text but its one key; a second pair of quotes is the key repeated.
        if body.count(b'"') != 2:
            raise InvalidInput
        return features

    return decode_body
