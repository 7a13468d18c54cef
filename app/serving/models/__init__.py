"""Makes the endpoints of a registered version."""

import hashlib

import msgspec

from serving.endpoint import Endpoint, LoadedModel
from serving.errors import ModelUnavailable, Reason
from serving.models import docs, inference_v2, linear, openapi, predict, signature
from serving.models.model import Model
from serving.models.rows import Decoder
from serving.registry import ModelFiles

_NOTHING = signature.Description(None, None, None)


def load(found: ModelFiles, max_rows: int) -> LoadedModel:
    """Makes the endpoints of a registered version from its files.

    Raises ModelUnavailable for a model that cannot be read or served.
    """
    return serve(found.name, found.version, model_of(found), max_rows)


def serve(name: str, version: str, model: Model, max_rows: int) -> LoadedModel:
    """The endpoints of a loaded model."""
    document = msgspec.json.encode(openapi.document(name, version, model, max_rows))
    decode = Decoder(model.signature, max_rows)
    handle = predict.handler(model, decode)
    if isinstance(model, linear.LinearModel):
        handle = model.handler(decode, handle)
    return LoadedModel(
        name,
        version,
        {
            "/predict": Endpoint("POST", handle, counted=True),
            "/openapi.json": Endpoint("GET", lambda _: document),
            "/docs": docs.page(name, version, model, max_rows),
            **inference_v2.endpoints(name, version, model, max_rows),
        },
    )


def model_of(found: ModelFiles) -> Model:
    """Loads the files of one version: in plain Python if it is linear, else on onnxruntime.

    Raises ModelUnavailable.
    """
    what = f"version {found.version} of {found.name!r}"
    try:
        described = signature.read(found.mlmodel) if found.mlmodel else _NOTHING
        _check_hash(found.onnx, described.onnx_sha256)
        taken = described.signature
        if described.linear and taken:
            fast = linear.load(taken, described.linear, found.onnx)
            if fast is not None:
                return fast
    except signature.Unsupported as error:
        raise _unsupported(what, error) from None
    except ValueError as error:
        raise ModelUnavailable(Reason.MODEL_CORRUPT, f"{what}: {error}") from None
    return _on_onnxruntime(found.onnx, taken, what)


def _check_hash(onnx: bytes, expected: str | None) -> None:
    """Refuses a file that may be a valid ONNX model, but is not the one that was registered."""
    if expected is not None and (digest := hashlib.sha256(onnx).hexdigest()) != expected:
        raise ValueError(
            f"its file ({len(onnx)} bytes) is not what was registered: "
            f"it has the SHA-256 {digest}, not {expected}"
        )


def _on_onnxruntime(onnx: bytes, taken: signature.Signature | None, what: str) -> Model:
    try:
        # Imported only if needed: it takes four times the memory of everything else.
        from serving.models.onnx import OnnxModel
    except ImportError:
        raise ModelUnavailable(
            Reason.MODEL_UNSUPPORTED,
            f"{what} is not linear, and this image serves only linear models; "
            "use the image that is built with --target serving",
        ) from None
    try:
        return OnnxModel(onnx, taken)
    except signature.Unsupported as error:
        raise _unsupported(what, error) from None
    except Exception as error:  # onnxruntime's errors have no common base class
        raise ModelUnavailable(
            Reason.MODEL_CORRUPT,
            f"{what} ({len(onnx)} bytes) is not a usable ONNX model: {error}",
        ) from None


def _unsupported(what: str, error: signature.Unsupported) -> ModelUnavailable:
    return ModelUnavailable(Reason.MODEL_UNSUPPORTED, f"{what} takes {error}")
