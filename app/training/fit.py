"""Split, fit and measure. Pure functions: no input, output or logging."""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from training.data import DataError, TrainingData
from training.rows import FloatArray

#: Share of the rows that is held out to measure on.
TEST_SHARE = 0.2

#: Fixed, so that the same data always gives the same split, model and metrics.
SEED = 42


@dataclass(frozen=True)
class Fit:
    """A fitted estimator, the held-out rows, its metrics on them, and the sizes of both splits."""

    estimator: LinearRegression
    metrics: dict[str, float]
    train_rows: int
    test_rows: int
    #: Features and target.
    held_out: tuple[FloatArray, FloatArray]


def fit(data: TrainingData) -> Fit:
    """Fits ordinary least squares on four fifths of the rows and measures on the other fifth.

    Raises DataError for numbers so large that a mean or a square of them is not finite.
    """
    train_x, test_x, train_y, test_y = train_test_split(
        data.features, data.target, test_size=TEST_SHARE, random_state=SEED
    )
    try:
        with np.errstate(all="ignore"):  # overflows are refused as NaN or infinity
            estimator = LinearRegression().fit(train_x, train_y)
            metrics = _metrics(test_y, estimator.predict(test_x))
    except ValueError as error:  # of scikit-learn, whose input is finite here
        raise _too_large(data, str(error)) from error
    if not all(map(math.isfinite, metrics.values())):
        raise _too_large(data, ", ".join(f"{key}={value:.6g}" for key, value in metrics.items()))
    return Fit(estimator, metrics, len(train_x), len(test_x), (test_x, test_y))


def _metrics(target: FloatArray, predicted: FloatArray) -> dict[str, float]:
    return {
        "r2": float(r2_score(target, predicted)),
        "rmse": float(root_mean_squared_error(target, predicted)),
        "mae": float(mean_absolute_error(target, predicted)),
    }


def _too_large(data: TrainingData, problem: str) -> DataError:
    return DataError(f"{data.path}: the numbers are too large to fit a model to: {problem}")
