"""Fitting is reproducible; verification refuses a model with other predictions."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from training.convert import MAX_RELATIVE_DIFFERENCE, ConversionError, convert, verify
from training.data import TrainingData
from training.fit import fit

RNG = np.random.default_rng(5)
X = RNG.normal(loc=30, scale=5, size=(200, 2))
Y = X @ [3.0, -1.5] + 7 + RNG.normal(scale=0.5, size=200)
DATA = TrainingData(X, Y, "0" * 64, Path("training_data.csv"))


def test_fit_recovers_the_line_and_measures_on_held_out_rows() -> None:
    fitted = fit(DATA)
    assert fitted.estimator.coef_ == pytest.approx([3.0, -1.5], abs=0.1)
    assert (fitted.train_rows, fitted.test_rows) == (160, 40)
    assert fitted.metrics.keys() == {"r2", "rmse", "mae"}
    assert 0.3 < fitted.metrics["mae"] < fitted.metrics["rmse"] < 0.7
    assert fitted.metrics["r2"] != pytest.approx(r2_score(Y, fitted.estimator.predict(X)))


def test_fit_is_reproducible() -> None:
    first, second = fit(DATA), fit(DATA)
    assert first.metrics == second.metrics
    assert first.estimator.coef_.tolist() == second.estimator.coef_.tolist()


def regression() -> LinearRegression:
    return LinearRegression().fit(X, Y)


def test_a_correct_conversion_passes() -> None:
    estimator = regression()
    assert verify(estimator, convert(estimator, X), X) < 1e-12


class Skewed(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator whose predictions differ by a factor from those of the converted model."""

    def __init__(self, estimator: LinearRegression, factor: float) -> None:
        self.estimator, self.factor = estimator, factor

    def predict(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        answers: np.ndarray = self.estimator.predict(X)
        return answers * self.factor


@pytest.mark.parametrize("factor", [1 + 2 * MAX_RELATIVE_DIFFERENCE, -1.0, 0.0, np.nan, np.inf])
def test_a_wrong_model_is_refused(factor: float) -> None:
    estimator = regression()
    with pytest.raises(ConversionError, match="not registered"):
        verify(Skewed(estimator, factor), convert(estimator, X), X)


def test_the_bound_is_the_constant() -> None:
    estimator = regression()
    within = Skewed(estimator, 1 + MAX_RELATIVE_DIFFERENCE / 2)
    difference = verify(within, convert(estimator, X), X)
    assert difference == pytest.approx(MAX_RELATIVE_DIFFERENCE / 2, rel=1e-3)


def test_one_wrong_row_is_enough() -> None:
    estimator = regression()
    model = convert(estimator, X)

    class OneOff(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def predict(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
            answers: np.ndarray = estimator.predict(X)
            answers[-1] += 1
            return answers

    with pytest.raises(ConversionError, match="differ by"):
        verify(OneOff(), model, X)


def test_predictions_of_another_shape_are_refused() -> None:
    estimator = regression()
    two = LinearRegression().fit(X, np.stack([Y, Y], axis=1))
    with pytest.raises(ConversionError, match="gives 400 answers for 200 values"):
        verify(estimator, convert(two, X), X)


def test_a_constant_zero_can_be_verified() -> None:
    estimator = LinearRegression().fit(X, np.zeros(len(X)))
    assert verify(estimator, convert(estimator, X), X) == 0
