"""Trains the models of all servers, and computes the correct predictions with scikit-learn.

`python train.py FOLDER`, in the training venv, with the tracking server's address in
MLFLOW_TRACKING_URI: registers each model as the training of the platform does, and writes to FOLDER
for each NAME the estimator (NAME.joblib), rows and predictions (NAME.json).
"""

import json
import os
import sys
from pathlib import Path

import joblib
import mlflow
import pandas
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training import data, fit, registry, sample_data, settings, train
from training.proof import MAX_RELATIVE_DIFFERENCE

#: Number of different rows in the requests.
ROWS = 8

ALIAS = "champion"


def keep(folder: Path, name: str, estimator, features) -> None:
    """Writes an estimator with some rows, spread over the data, and their predictions.

    The tolerance is the largest relative difference at which the platform takes a faster form.
    """
    rows = features[:: len(features) // ROWS][:ROWS]
    answers = [float(estimator.predict([row])[0]) for row in rows]
    known = {"rows": rows.tolist(), "answers": answers, "tolerance": MAX_RELATIVE_DIFFERENCE}
    joblib.dump(estimator, folder / f"{name}.joblib")
    (folder / f"{name}.json").write_text(json.dumps(known))


def linear(folder: Path) -> None:
    """The training job of the platform, with its sample data."""
    sample_data.write_sample(folder)
    config = settings.Settings(
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"],
        experiment_name="bench",
        model_name="linear",
        model_alias=ALIAS,
        data_dir=folder,
    )
    train.run(config)
    rows = data.load(folder / data.FILE_NAME)
    estimator = fit.fit(rows).estimator
    keep(folder, "linear", estimator, rows.features)


def other(folder: Path, name: str, estimator, features) -> None:
    """Another estimator, registered by the same code."""
    table = pandas.DataFrame(features, columns=[f"x{i}" for i in range(features.shape[1])])
    with mlflow.start_run():
        version = registry.log_model(name, estimator, table)
    mlflow.MlflowClient().set_registered_model_alias(name, ALIAS, str(version))
    keep(folder, name, estimator, features)


def main() -> None:
    folder = Path(sys.argv[1])
    linear(folder)
    patients, progression = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(n_estimators=100, random_state=0).fit(patients, progression)
    other(folder, "forest", forest, patients)
    samples, malignant = load_breast_cancer(return_X_y=True)
    logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(samples, malignant)
    other(folder, "logistic", logistic, samples)


if __name__ == "__main__":
    main()
