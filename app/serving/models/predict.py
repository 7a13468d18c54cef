"""`POST /predict`, the API of the platform."""

import msgspec

from serving.endpoint import Handler
from serving.models.model import Model
from serving.models.rows import Decoder


class Classification(msgspec.Struct):
    """The response body of a classifier; the columns of `probabilities` are `classes`."""

    prediction: list[object]
    probabilities: list[list[float]] | None
    classes: tuple[object, ...]


def handler(model: Model, decode: Decoder) -> Handler:
    """Returns the handler of the endpoint."""
    encode = msgspec.json.Encoder().encode
    predict = model.predict
    classes = model.output.classes

    def handle(body: bytes) -> bytes:
        return encode(predict(decode(body)))

    def classify(body: bytes) -> bytes:
        answer = predict(decode(body))
        return encode(Classification(answer.prediction, answer.probabilities, classes or ()))

    return handle if classes is None else classify
