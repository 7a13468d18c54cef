"""The training job: sample data, one linear regression, one registered model version."""

import os

# Libraries that send telemetry to their vendors unless this is set before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# MLflow's client reads a git revision and a user name from the system; the image has neither.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("LOGNAME", "training")
