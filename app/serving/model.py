"""What answers a request: the Model protocol, and ONNX as the first to keep it."""

from typing import Any, Protocol

import numpy as np
import onnxruntime

from serving.errors import ModelUnavailable, Reason
from serving.registry import ModelFile

_DTYPES: dict[str, type[np.floating[Any]]] = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
}


class Model(Protocol):
    """A loaded model. Another kind that is proven equal can take the place of OnnxModel."""

    feature_count: int

    def predict(self, features: list[float]) -> list[float]:
        """Answers one row of `feature_count` numbers."""
        ...


class OnnxModel:
    """A regressor with one numeric input of fixed width and one number for each row as output."""

    def __init__(self, file: ModelFile) -> None:
        """Loads the file and answers one row of zeros, so that no first request pays for it.

        Raises ModelUnavailable for a file that onnxruntime cannot load or run, and for a model of
        another shape.
        """
        what = f"version {file.version} of {file.name!r}"
        try:
            self._session = onnxruntime.InferenceSession(
                file.content, _options(), providers=["CPUExecutionProvider"]
            )
            self._input, self.feature_count, self._dtype = _input_of(self._session, what)
            self._outputs = _outputs_of(self._session, what)
            answer = self.predict([0.0] * self.feature_count)
        except ModelUnavailable:
            raise
        except Exception as error:  # onnxruntime's own errors share no better base
            raise ModelUnavailable(
                Reason.MODEL_CORRUPT,
                f"{what} ({len(file.content)} bytes) is not a usable ONNX model: {error}",
            ) from None
        if len(answer) != 1:
            raise _not_one_number(what)

    def predict(self, features: list[float]) -> list[float]:
        """Answers one row of `feature_count` numbers."""
        row = np.array([features], dtype=self._dtype)
        answer: np.ndarray[Any, Any] = self._session.run(self._outputs, {self._input: row})[0]
        numbers: list[float] = answer.ravel().tolist()
        return numbers


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One thread: a row is too small to share out, and a pool sized by the machine's cores spins
    # away the pod's CPU quota.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def _input_of(
    session: onnxruntime.InferenceSession, what: str
) -> tuple[str, int, type[np.floating[Any]]]:
    inputs = session.get_inputs()
    first = inputs[0]
    shape = first.shape
    width = shape[1] if len(inputs) == 1 and len(shape) == 2 else None
    if not isinstance(width, int) or first.type not in _DTYPES:
        found = ", ".join(f"{given.name}: {given.type} {given.shape}" for given in inputs)
        raise ModelUnavailable(
            Reason.MODEL_UNSUPPORTED,
            f"{what} must have one float or double input of shape [rows, N]; it has {found}",
        )
    return first.name, width, _DTYPES[first.type]


def _outputs_of(session: onnxruntime.InferenceSession, what: str) -> list[str]:
    outputs = session.get_outputs()
    if len(outputs) != 1 or outputs[0].type not in _DTYPES:
        raise _not_one_number(what)
    return [outputs[0].name]


def _not_one_number(what: str) -> ModelUnavailable:
    return ModelUnavailable(
        Reason.MODEL_UNSUPPORTED, f"{what} does not answer with one number for each row"
    )
