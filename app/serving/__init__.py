"""The model service: one process that answers POST /predict from a registered ONNX model."""

import os

# onnxruntime's official Linux builds report to their vendor, unless told before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
