"""Predictions of every type as JSON."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from serving.models.native_outputs import entries


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (np.array([[1.5], [2.5]]), [1.5, 2.5]),
        (np.array([1, 2**62 + 1]), [1, 2**62 + 1]),
        (pd.DataFrame({"a": [1, 2**62 + 1], "b": [0.5, 1]}), [[1, 0.5], [2**62 + 1, 1.0]]),
        (np.array(["2026-01-02", "NaT"], "datetime64[ns]"), ["2026-01-02T00:00:00", None]),
        (pd.Series([pd.Timestamp("2026-01-02T03:04"), None]), ["2026-01-02T03:04:00", None]),
        ([date(2026, 1, 2), None], ["2026-01-02", None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (np.array([np.inf, -np.inf]), [None, None]),
        (csr_matrix([[0, 1], [1, 0]]), [[0, 1], [1, 0]]),
        (np.array([[[1.0, np.nan]], [[2.0, 3.0]]]), [[[1.0, None]], [[2.0, 3.0]]]),
        ([{"a": np.int64(3)}, {"a": np.array([1.0])}], [{"a": 3}, {"a": [1.0]}]),
    ],
)
def test_predictions_of_every_type(predicted: Any, expected: list[Any]) -> None:  # noqa: ANN401
    assert entries(predicted, 2) == expected


@pytest.mark.parametrize("predicted", [[1.0], 1.0, np.zeros(3)])
def test_another_number_of_predictions_is_an_error(predicted: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="predictions for 2 rows"):
        entries(predicted, 2)
