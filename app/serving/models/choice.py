"""Chooses how a registered version is served, and loads it.

A model is served as it was logged. A faster form is taken only if the training job has proved that
it gives the same predictions: the coefficients of a linear model, or an ONNX graph.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from serving.errors import ModelUnavailable, Reason
from serving.log import logger
from serving.models import linear, signature
from serving.models.libraries import differences
from serving.models.model import Model
from serving.models.signature import Description
from serving.options import Options
from serving.registered import DESCRIPTION_FILE, MAX_DESCRIPTION_BYTES, memory_limit

#: The image that has the libraries of all models.
_OTHER_IMAGE = "this image serves only linear models; use the image of the target serving"

#: In a graph whose weights are in other files, the key before the name of each file.
_EXTERNAL_DATA = b"location"

#: A thread for each core of the machine would use up the CPU quota of the pod. numpy reads them
#: when it is imported.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

#: scikit-learn computes distances in chunks of so many MiB, 1,024 by default; it reads this when it
#: is imported. This share of the container's memory is left for a chunk.
_CHUNK = "SKLEARN_WORKING_MEMORY"
_CHUNK_SHARE = 8


class Files(Protocol):
    """The files of a registered version. Errors are ModelUnavailable."""

    @property
    def name(self) -> str:
        """Of the registered model."""
        ...

    @property
    def version(self) -> str:
        """Its number."""
        ...

    def read(self, file: str, limit: int | None = None) -> bytes | None:
        """The content of a file, or None if there is no such file."""
        ...

    def address(self, file: str) -> str:
        """The URL of a file, for messages."""
        ...

    def save(self, folder: Path) -> None:
        """Saves all files below a folder."""
        ...


def model_of(found: Files, options: Options | None = None) -> Model:
    """Loads a version, in its fastest form that is equal. Raises ModelUnavailable."""
    options = options or Options()
    what = f"version {found.version} of {found.name!r}"
    try:
        content = found.read(DESCRIPTION_FILE, MAX_DESCRIPTION_BYTES)
        described = (
            signature.read(content) if content else Description(onnx_path=signature.DEFAULT_ONNX)
        )
        native = described.native and options.runtime != "onnx"
        if described.onnx_path and (options.optimise or not native):
            return _fast(found, described, what)
        if native:
            return _native(found, described, options, what)
    except signature.Unsupported as error:
        raise ModelUnavailable(Reason.MODEL_UNSUPPORTED, f"{what} takes {error}") from None
    except ValueError as error:
        raise ModelUnavailable(Reason.MODEL_CORRUPT, f"{what}: {error}") from None
    flavors = ", ".join(described.flavors) or "none"
    raise ModelUnavailable(
        Reason.MODEL_UNSUPPORTED,
        f"{what} has the flavours {flavors}, and RUNTIME is {options.runtime}, which serves ONNX "
        "files; log it with mlflow.onnx.log_model, or set the runtime mlflow",
    )


def _fast(found: Files, described: Description, what: str) -> Model:
    path = described.onnx_path or ""
    onnx = found.read(path)
    if onnx is None:
        raise ModelUnavailable(
            Reason.ARTIFACT_MISSING, f"{what} has no file {path} at {found.address(path)}"
        )
    _check_hash(onnx, described.onnx_sha256)
    taken = described.signature
    if described.linear and taken:
        fast = linear.load(taken, described.linear, onnx)
        if fast is not None:
            return fast
    if _EXTERNAL_DATA not in onnx:
        return _on_onnxruntime(onnx, taken, what)
    # onnxruntime maps the files into memory, so they may be deleted.
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        found.save(Path(folder))
        return _on_onnxruntime(onnx, taken, what, Path(folder) / path)


def _check_hash(onnx: bytes, expected: str | None) -> None:
    """Refuses a file that may be a valid ONNX model, but is not the one that was registered."""
    if expected is not None and (digest := hashlib.sha256(onnx).hexdigest()) != expected:
        raise ValueError(
            f"its file ({len(onnx)} bytes) is not what was registered: "
            f"it has the SHA-256 {digest}, not {expected}"
        )


def _on_onnxruntime(
    onnx: bytes, taken: signature.Signature | None, what: str, file: Path | None = None
) -> Model:
    try:
        # Imported only if needed: it takes four times the memory of everything else.
        from serving.models.onnx import OnnxModel
    except ImportError:
        raise ModelUnavailable(
            Reason.MODEL_UNSUPPORTED, f"{what} is not linear, and {_OTHER_IMAGE}"
        ) from None
    try:
        return OnnxModel(onnx, taken, file)
    except signature.Unsupported:
        raise
    except Exception as error:  # onnxruntime's errors have no common base class
        raise ModelUnavailable(
            Reason.MODEL_CORRUPT,
            f"{what} ({len(onnx)} bytes) is not a usable ONNX model: {error}",
        ) from None


def _native(found: Files, described: Description, options: Options, what: str) -> Model:
    flavors = ", ".join(described.flavors)
    set_up_libraries()
    try:
        from serving.models.native import NativeModel
    except ImportError:
        raise ModelUnavailable(
            Reason.MODEL_UNSUPPORTED, f"{what} has the flavours {flavors}, and {_OTHER_IMAGE}"
        ) from None
    # It stays: some models read their files later.
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    try:
        found.save(folder)
        other = differences(folder)
        _check_libraries(other, options, what)
        model = NativeModel(folder, described.flavors, described.signature)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, ModelUnavailable | signature.Unsupported):
            raise
        raise _not_loaded(error, what, flavors, other) from None
    model.why, model.library_differences = _why(described, options), len(other)
    return model


def set_up_libraries() -> None:
    """Fits what libraries take to this container; they read it when they are imported."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    memory = memory_limit()
    if memory is not None:
        mebibytes = min(1024, max(1, memory // _CHUNK_SHARE // 2**20))
        os.environ.setdefault(_CHUNK, str(mebibytes))


def _check_libraries(other: list[str], options: Options, what: str) -> None:
    if not other:
        return
    message = f"{what} was logged with other libraries than this image has: {', '.join(other)}"
    if options.strict_libraries:
        raise ModelUnavailable(
            Reason.MODEL_UNSUPPORTED,
            f"{message}; build the serving image with the model's requirements.txt",
        )
    logger.warning("libraries differ", extra={"detail": message})


def _not_loaded(error: BaseException, what: str, flavors: str, other: list[str]) -> BaseException:
    if isinstance(error, ImportError):
        return ModelUnavailable(
            Reason.MODEL_UNSUPPORTED,
            f"{what} has the flavours {flavors} and needs the library {error.name}, which is not "
            "in this image; build the serving image with the model's requirements.txt",
        )
    if not isinstance(error, Exception):
        return error
    differ = f"; libraries that differ: {', '.join(other)}" if other else ""
    return ModelUnavailable(
        Reason.MODEL_CORRUPT,
        f"{what} with the flavours {flavors} cannot be loaded: "
        f"{type(error).__name__}: {error}{differ}",
    )


def _why(described: Description, options: Options) -> str:
    """Why no faster form is used."""
    if described.onnx_path and not options.optimise:
        return "OPTIMISE is off"
    return described.added.get(
        signature.AS_LOGGED, "no faster form was registered; training.registry.log_model adds one"
    )
