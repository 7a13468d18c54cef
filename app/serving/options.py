"""How a model is served, as the environment says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """One field for each of RUNTIME, OPTIMISE and STRICT_LIBRARIES."""

    #: `mlflow`: as it was logged; `onnx`: the model must be an ONNX graph.
    runtime: str = "mlflow"
    #: Take a faster form that was proved to be equal.
    optimise: bool = True
    #: Refuse a model if other versions of its libraries are installed.
    strict_libraries: bool = False
