"""The model service: one process that answers POST /predict from a registered ONNX model."""

import os

# onnxruntime's official Linux builds send telemetry unless this is set before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
