"""The search for two rows that differ by the least amount and are on two sides of a decision."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.edges import beside, edges, ordinals
from training.rows import Integers, Rows


@pytest.mark.parametrize("threshold", [0.5, 0.0, -3.0, 1e-300, 1e300, 1 / 3, np.pi])
def test_ends_at_adjacent_numbers(threshold: float) -> None:
    def side(rows: Rows, _: Integers) -> Any:  # noqa: ANN401
        return rows.columns[1] <= threshold

    start, end = Rows.of(np.array([[7.0, -1e301]])), Rows.of(np.array([[7.0, 1e301]]))
    places, column, low, high = edges(start, end, side)
    assert (places.tolist(), column.tolist()) == ([0], [1])
    assert np.asarray(low.table()).tolist() == [[7.0, threshold]]
    assert np.asarray(high.table()).tolist() == [[7.0, np.nextafter(threshold, np.inf)]]


def test_ends_at_adjacent_integers_of_a_table() -> None:
    tables = [
        pd.DataFrame({"city": [city], "visits": [visits]})
        for city, visits in (("Bern", 900), ("Oslo", -900))
    ]
    start, end = map(Rows.of, tables)
    found = edges(start, end, lambda rows, _: rows.columns[1] > 17)
    _, column, low, high = found
    assert column.tolist() == [1]
    # The city, on which nothing depends, is that of the start.
    assert pd.DataFrame(low.table()).to_dict("list") == {"city": ["Bern"], "visits": [18]}
    assert pd.DataFrame(high.table()).to_dict("list") == {"city": ["Bern"], "visits": [17]}
    found_beside = {rows.columns[1].tolist()[0] for rows in beside(column, low, high)}
    assert found_beside == {16, 17, 18, 19}


def test_each_pair_has_its_own_decision() -> None:
    start = Rows.of(np.zeros((3, 4)))
    end = Rows.of(np.full((3, 4), 10.0))
    thresholds, features = np.array([1.0, 2.0, 30.0]), np.array([3, 0, 1])

    def side(rows: Rows, places: Integers) -> Any:  # noqa: ANN401
        values = np.column_stack(rows.columns)[np.arange(len(rows)), features[places]]
        return values <= thresholds[places]

    places, column, low, _ = edges(start, end, side)
    assert places.tolist() == [0, 1]  # the third does not change its side
    assert column.tolist() == [3, 0]
    assert np.asarray(low.table()).tolist() == [[0.0, 0.0, 0.0, 1.0], [2.0, 0.0, 0.0, 0.0]]


def test_a_change_of_text_or_to_a_missing_value_has_no_edge() -> None:
    bern, oslo = (Rows.of(pd.DataFrame({"city": [city]})) for city in ("Bern", "Oslo"))
    assert len(edges(bern, oslo, lambda rows, _: rows.columns[0] == "Bern")[0]) == 0
    number, missing = Rows.of(np.array([[1.0]])), Rows.of(np.array([[np.nan]]))
    assert len(edges(number, missing, lambda rows, _: np.isnan(rows.columns[0]))[0]) == 0


def test_rows_beside_are_one_step_away_in_float64_and_float32() -> None:
    low, high = (Rows.of(np.array([[number]])) for number in (0.1, np.nextafter(0.1, 1)))
    found = [rows.columns[0].tolist()[0] for rows in beside(np.array([0]), low, high)]
    single = np.float32(0.1)
    assert {0.1, np.nextafter(0.1, 0), np.nextafter(0.1, 1)} <= set(found)
    assert {float(single), float(np.nextafter(single, np.float32(0)))} <= set(found)
    assert float(np.nextafter(single, np.float32(1))) in found


def test_the_order_of_ordinals_is_that_of_numbers() -> None:
    numbers = np.array([-np.inf, -1e300, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1e300, np.inf])
    assert (np.diff(ordinals(numbers)) > 0).all()
    assert ordinals(np.array([-5e-324, 0.0, 5e-324])).tolist() == [-1, 0, 1]
    assert ordinals(np.array([-0.0])).tolist() == [0]
