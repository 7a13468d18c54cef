"""FastAPI as in its manual, with the same estimator and metrics."""

import os
import time

import joblib
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel, Field

model = joblib.load(os.environ["MODEL_FILE"])
app = FastAPI()

REQUESTS = Counter("inference_requests_total", "Requests", ["code"])
LATENCY = Histogram("inference_latency_seconds", "Latency")
WIDTH = model.n_features_in_


class Features(BaseModel):
    features: list[float] = Field(min_length=WIDTH, max_length=WIDTH)


class Prediction(BaseModel):
    prediction: list[float]


# Not `def`: FastAPI would run each request in a thread, which costs more than the prediction.
@app.post("/predict")
async def predict(row: Features) -> Prediction:
    started = time.time()
    prediction = model.predict([row.features])
    REQUESTS.labels(code="200").inc()
    LATENCY.observe(time.time() - started)
    return Prediction(prediction=prediction.tolist())


@app.exception_handler(RequestValidationError)
async def invalid(_request: Request, _error: RequestValidationError) -> JSONResponse:
    REQUESTS.labels(code="400").inc()
    return JSONResponse({"error": "Invalid input"}, status_code=400)


@app.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
