"""A common first version: Flask, a pickled estimator, and metrics as in the manual."""

import os
import time

import joblib
from flask import Flask, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

app = Flask(__name__)
model = joblib.load(os.environ["MODEL_FILE"])

REQUESTS = Counter("inference_requests_total", "Requests", ["code"])
LATENCY = Histogram("inference_latency_seconds", "Latency")


@app.route("/predict", methods=["POST"])
def predict():
    started = time.time()
    features = request.get_json(silent=True)
    features = features.get("features") if isinstance(features, dict) else None
    if not isinstance(features, list) or len(features) != model.n_features_in_:
        REQUESTS.labels(code="400").inc()
        return jsonify({"error": "Invalid input"}), 400
    prediction = model.predict([features])
    REQUESTS.labels(code="200").inc()
    LATENCY.observe(time.time() - started)
    return jsonify({"prediction": prediction.tolist()})


@app.route("/metrics")
def metrics():
    return Response(generate_latest(), mimetype=CONTENT_TYPE_LATEST)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
