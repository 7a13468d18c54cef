"""The OpenAPI 3.1 document of one model, made from its signature."""

from typing import Any

from serving.models.inference_v2 import FEATURES, ID_PATTERN, quoted
from serving.models.model import Model
from serving.models.signature import Column, Kind

_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.NUMBER: {"type": "number"},
    Kind.INTEGER: {
        "type": "integer",
        "description": "Written without a decimal point.",
        "minimum": -(2**63),
        "maximum": 2**63 - 1,
    },
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.STRING: {"type": "string"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
}
_EXAMPLES = {
    Kind.NUMBER: 1.5,
    Kind.INTEGER: 1,
    Kind.BOOLEAN: True,
    Kind.STRING: "text",
    Kind.DATETIME: "2026-01-31T12:00:00",
}

_ERRORS = {
    "400": "The body is not valid input of the model; the header x-error-reason has the reason.",
    "408": "The request took too long to arrive.",
    "413": "The body is too large.",
    "414": "The request target is too long.",
    "415": "The body is not JSON, or is compressed.",
    "431": "The headers are too large.",
    "500": "The model failed.",
    "503": "No model is loaded yet, or the server is overloaded; try again after Retry-After.",
}


def document(name: str, version: str, model: Model, max_rows: int) -> dict[str, Any]:
    """Describes every path of a service with a loaded model."""
    path = f"/v2/models/{quoted(name)}"
    paths = {
        "/predict": {"post": _predict(model, max_rows)},
        "/healthz": {"get": _get("Is the process alive?")},
        "/readyz": {"get": _get("Is a model loaded?")},
        "/metrics": {"get": _get("Metrics for Prometheus.", "text/plain")},
        "/docs": {"get": _get("This description as a page.", "text/html")},
        "/openapi.json": {"get": _get("This description.")},
        "/v2": {"get": _get("Metadata of the server.")},
        "/v2/health/live": {"get": _get("Is the process alive?")},
        "/v2/health/ready": {"get": _get("Is a model loaded?")},
    }
    for base in (path, f"{path}/versions/{version}"):
        paths[base] = {"get": _get("Metadata of the model.")}
        paths[f"{base}/ready"] = {"get": _get("Is the model loaded?")}
        paths[f"{base}/infer"] = {"post": _infer(model, max_rows)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version,
            "description": f"Predictions of the model {name}, version {version}.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": _object({"error": {"type": "string"}})}},
    }


def _object(properties: dict[str, Any], **others: object) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, **others}


def _strict(properties: dict[str, Any]) -> dict[str, Any]:
    return _object(properties, additionalProperties=False)


def _answer(description: str, schema: dict[str, Any], media: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": schema}}}


def _errors(codes: tuple[str, ...]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {code: _answer(_ERRORS[code], schema, "application/json") for code in codes}


def _get(summary: str, media: str = "application/json") -> dict[str, Any]:
    schema = {"type": "object"} if media == "application/json" else {"type": "string"}
    return {
        "summary": summary,
        "responses": {
            "200": _answer("Yes.", schema, media),
            **_errors(("400", "408", "414", "431", "503")),
        },
    }


def _post(summary: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": _answer("One entry for each row.", answer, "application/json"),
            **_errors(tuple(_ERRORS)),
        },
    }


def _predict(model: Model, max_rows: int) -> dict[str, Any]:
    columns = model.signature.columns
    kinds = [_schema(column) for column in columns]
    row: dict[str, Any] = {
        "type": "array",
        "minItems": len(columns),
        "maxItems": len(columns),
        **({"items": kinds[0]} if model.signature.numeric else {"prefixItems": kinds}),
    }
    record = _strict(dict(zip((column.name for column in columns), kinds, strict=True)))
    record["required"] = [column.name for column in columns if not column.nullable]
    forms = [row, _several(row, max_rows), record, _several(record, max_rows)]
    body = {
        "schema": _strict({"features": {"anyOf": forms}}),
        "examples": {
            "row": {"value": {"features": [_EXAMPLES[column.kind] for column in columns]}},
            "record": {"value": {"features": example(columns)}},
        },
    }
    return _post("Predict one row, or several.", body, _prediction(model, max_rows))


def _schema(column: Column) -> dict[str, Any]:
    schema = _SCHEMAS[column.kind]
    return {**schema, "type": [schema["type"], "null"]} if column.nullable else schema


def example(columns: tuple[Column, ...]) -> dict[str, Any]:
    """A valid record."""
    return {column.name: _EXAMPLES[column.kind] for column in columns}


def _several(item: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most}


def _prediction(model: Model, max_rows: int) -> dict[str, Any]:
    output = model.output
    one = _SCHEMAS[output.kind]
    entry = one if output.width == 1 else {"type": "array", "items": one}
    fields = {"prediction": _several(entry, max_rows)}
    if output.classes is not None:
        share = {"type": "array", "items": {"type": "number"}}
        fields["probabilities"] = _several(share, max_rows)
        fields["classes"] = {"type": "array", "const": list(output.classes)}
    return _strict(fields)


def _infer(model: Model, max_rows: int) -> dict[str, Any]:
    columns = model.signature.columns
    wide = model.signature.numeric
    shape = [1, len(columns) if wide else 1]
    tensor = _object(
        {
            "name": {"enum": [FEATURES] if wide else [column.name for column in columns]},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": 2},
            "datatype": {"enum": ["FP64", "FP32", "INT64", "INT32", "BOOL", "BYTES"]},
            "data": {"type": "array"},
        }
    )
    names = ["prediction", *(["probabilities"] if model.output.classes else [])]
    schema = _object({"inputs": {"type": "array", "items": tensor}})
    schema["properties"]["id"] = {"type": "string", "pattern": ID_PATTERN}
    schema["properties"]["outputs"] = {"type": "array", "items": _object({"name": {"enum": names}})}
    answer = _object(
        {"model_name": {}, "model_version": {}, "outputs": {"type": "array", "minItems": 1}}
    )
    summary = f"Open Inference Protocol; tensors of {shape[1]} by up to {max_rows} rows."
    return _post(summary, {"schema": schema}, answer)
