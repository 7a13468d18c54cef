"""Makes the endpoints of a registered version."""

import msgspec

from serving.endpoint import Endpoint, LoadedModel
from serving.models import docs, inference_v2, linear, openapi, predict
from serving.models.choice import model_of
from serving.models.model import Model
from serving.models.rows import Decoder
from serving.options import Options
from serving.registered import RegisteredVersion


def load(found: RegisteredVersion, options: Options, max_rows: int) -> LoadedModel:
    """Makes the endpoints of a registered version from its files.

    Raises ModelUnavailable for a model that cannot be read or served.
    """
    return serve(found.name, found.version, model_of(found, options), max_rows)


def serve(name: str, version: str, model: Model, max_rows: int) -> LoadedModel:
    """The endpoints of a loaded model."""
    document = msgspec.json.encode(openapi.document(name, version, model, max_rows))
    decode = Decoder(model.signature, max_rows)
    handle = predict.handler(model, decode)
    if isinstance(model, linear.LinearModel):
        handle = model.handler(decode, handle)
    slow = model.slow
    return LoadedModel(
        name,
        version,
        {
            "/predict": Endpoint("POST", handle, counted=True, slow=slow),
            "/openapi.json": Endpoint("GET", lambda _: document),
            "/docs": docs.page(name, version, model, max_rows),
            **inference_v2.endpoints(name, version, model, max_rows),
        },
        model.served_as,
        model.why,
        model.library_differences,
    )
