"""`POST /predict`: the platform's own contract."""

from collections.abc import Callable

import msgspec

from serving.endpoint import Handler
from serving.models.model import Answer, Model
from serving.models.rows import Decoder


class Prediction(msgspec.Struct):
    """The body of a 200: one entry for each row."""

    prediction: list[object]


class Classification(msgspec.Struct):
    """The same of a classifier; the columns of `probabilities` are `classes`."""

    prediction: list[object]
    probabilities: list[list[float]] | None
    classes: tuple[object, ...]


def handler(model: Model, decode: Decoder) -> Handler:
    """Answers a whole request."""
    encode = msgspec.json.Encoder().encode
    predict = model.predict
    to_body = _to_body(model)

    def handle(body: bytes) -> bytes:
        return encode(to_body(predict(decode(body))))

    return handle


def _to_body(model: Model) -> Callable[[Answer], msgspec.Struct]:
    classes = model.output.classes
    if classes is None:
        return lambda answer: Prediction(answer.prediction)
    return lambda answer: Classification(answer.prediction, answer.probabilities, classes)
