"""The comparison of a graph with its estimator refuses other answers."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression

from training.convert import convert
from training.faster import ConversionError
from training.proof import MAX_RELATIVE_DIFFERENCE, verify

RNG = np.random.default_rng(5)
X = RNG.normal(loc=30, scale=5, size=(200, 2))
Y = X @ [3.0, -1.5] + 7 + RNG.normal(scale=0.5, size=200)


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


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1 + 2 * MAX_RELATIVE_DIFFERENCE, "200 of 200 predictions differ, by up to 2e-06"),
        (-1.0, "200 of 200 predictions differ, by up to 2 "),
        (0.0, "200 of 200 predictions differ"),
        (np.nan, "the estimator's predictions are not finite"),
        (np.inf, "the estimator's predictions are not finite"),
    ],
)
def test_a_wrong_model_is_refused(factor: float, said: str) -> None:
    estimator = regression()
    with pytest.raises(ConversionError, match=said):
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

    with pytest.raises(ConversionError, match="1 of 200 predictions differ"):
        verify(OneOff(), model, X)


def test_predictions_of_another_shape_are_refused() -> None:
    estimator = regression()
    two = LinearRegression().fit(X, np.stack([Y, Y], axis=1))
    with pytest.raises(ConversionError, match="400 answers for 200 values"):
        verify(estimator, convert(two, X), X)


def test_a_constant_zero_can_be_verified() -> None:
    estimator = LinearRegression().fit(X, np.zeros(len(X)))
    assert verify(estimator, convert(estimator, X), X) == 0


def test_labels_of_another_type_are_refused() -> None:
    truths = LogisticRegression().fit(X, Y.mean() < Y)
    numbers = LogisticRegression().fit(X, (Y.mean() < Y).astype(int))
    assert verify(truths, convert(truths, X), X) < 1e-9
    with pytest.raises(ConversionError, match="200 of 200 labels differ"):
        verify(truths, convert(numbers, X), X)


def test_a_graph_that_is_wrong_for_one_row_alone_is_refused() -> None:
    estimator = regression()
    model = convert(estimator, X)
    # The sum of all rows, of which there is one, is added and subtracted: a row alone gives 0.
    rows, graph = model.graph.output[0].name, model.graph
    for node in graph.node:
        node.output[:] = ["own" if name == rows else name for name in node.output]
    graph.node.append(helper.make_node("ReduceMean", ["own"], ["mean"], keepdims=1))
    graph.node.append(helper.make_node("Equal", ["own", "mean"], ["alone"]))
    zero = helper.make_tensor("zero", TensorProto.DOUBLE, [], [0.0])
    graph.initializer.append(zero)
    graph.node.append(helper.make_node("Where", ["alone", "zero", "own"], [rows]))
    with pytest.raises(ConversionError, match="200 of 200 predictions differ, by up to 1 "):
        verify(estimator, model, X)
