"""Fitting is reproducible, and refuses data that cannot be measured on."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score

from training.data import DataError, TrainingData
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


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(("scale", "said"), [(1e300, "r2=nan, rmse=inf"), (3e306, "infinity")])
def test_data_that_cannot_be_measured_is_refused(scale: float, said: str) -> None:
    with pytest.raises(DataError, match=f"^training_data.csv: the numbers are too large .*{said}"):
        fit(TrainingData(X, Y * scale, "0" * 64, Path("training_data.csv")))
