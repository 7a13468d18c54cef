"""BentoML as in its manual: a service class with one API and one worker."""

import os

import bentoml
import joblib


@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.estimator = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api
    def predict(self, features: list[float]) -> dict[str, list[float]]:
        return {"prediction": self.estimator.predict([features]).tolist()}
