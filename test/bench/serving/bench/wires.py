"""The request and response formats of the servers."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

Row = list[float]


@dataclass(frozen=True)
class Wire:
    """One protocol: its path, its request format, and the key of the list of predictions."""

    path: str
    write: Callable[[Row], object]
    key: str

    def body(self, row: Row) -> str:
        """The JSON body for a row."""
        return json.dumps(self.write(row), separators=(",", ":"))

    def answer(self, text: str) -> float | None:
        """The prediction in a response for one row; None if there is none."""
        match = re.search(rf'"{self.key}":\s*\[([^\]]*)\]', text)
        try:
            return float(match[1]) if match else None
        except ValueError:
            return None


def is_right(answer: float | None, expected: float, tolerance: float) -> bool:
    """Whether a prediction is the expected one, within a relative tolerance."""
    return answer is not None and abs(answer - expected) <= tolerance * max(abs(expected), 1e-9)


PREDICT = Wire("/predict", lambda row: {"features": row}, "prediction")
NOOP = Wire("/noop", lambda row: {"features": row}, "prediction")
MLFLOW = Wire("/invocations", lambda row: {"inputs": [row]}, "predictions")


def open_inference(model: str) -> Wire:
    """The Open Inference Protocol, version 2."""

    def write(row: Row) -> object:
        tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": row}
        return {"inputs": [tensor]}

    return Wire(f"/v2/models/{model}/infer", write, "data")
