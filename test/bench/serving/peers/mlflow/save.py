"""Saves an estimator as MLflow does by default: `python save.py ESTIMATOR.joblib FOLDER`."""

import json
import sys
from pathlib import Path

import joblib
import mlflow.sklearn
import numpy

estimator, folder = Path(sys.argv[1]), sys.argv[2]
rows = json.loads(estimator.with_suffix(".json").read_text())["rows"]
mlflow.sklearn.save_model(joblib.load(estimator), folder, input_example=numpy.array(rows[:1]))
