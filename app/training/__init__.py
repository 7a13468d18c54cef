"""The training job: sample data, one linear regression, one registered model version."""

import os

# Libraries that report to their vendors unless told before import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# MLflow's client asks git for a revision and the system for a user name; the image has neither.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("LOGNAME", "training")
