"""Split, fit and measure. Pure functions: no input, output or logging."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from training.data import TrainingData

#: Share of the rows that is held out to measure on.
TEST_SHARE = 0.2

#: Fixed, so that the same data always gives the same split, model and metrics.
SEED = 42

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A fitted estimator, its metrics on the held-out rows, and the sizes of the two splits."""

    estimator: LinearRegression
    metrics: dict[str, float]
    train_rows: int
    test_rows: int


def fit(data: TrainingData) -> Fit:
    """Fits ordinary least squares on four fifths of the rows and measures on the other fifth."""
    train_x, test_x, train_y, test_y = train_test_split(
        data.features, data.target, test_size=TEST_SHARE, random_state=SEED
    )
    estimator = LinearRegression().fit(train_x, train_y)
    predicted: FloatArray = estimator.predict(test_x)
    metrics = {
        "r2": float(r2_score(test_y, predicted)),
        "rmse": float(root_mean_squared_error(test_y, predicted)),
        "mae": float(mean_absolute_error(test_y, predicted)),
    }
    return Fit(estimator, metrics, len(train_x), len(test_x))
