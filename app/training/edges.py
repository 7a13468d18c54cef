"""Finds rows that differ by the least possible amount and are on two sides of a decision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.rows import Column, Integers, Rows

#: Says for each row, which belongs to the pair of this place, on which side it is.
Side = Callable[[Rows, Integers], npt.NDArray[Any]]

#: As many halvings as a float64 has bits lead to two adjacent numbers.
_HALVINGS = 64


def edges(start: Rows, end: Rows, side: Side) -> tuple[Integers, Integers, Rows, Rows]:
    """Walks from each row of `start` to that of `end` until the side changes.

    Returns, for the pairs that are on two sides and for which the change is that of one number, the
    place of the pair, the index of that column, and the two rows, which differ in it by the
    smallest step of its type. No other column is changed if this one decides alone.
    """
    places = np.arange(len(start))
    places = places[side(start, places) != side(end, places)]
    if not len(places):
        return places, places, start.take(places), end.take(places)
    column, low, high = _one_column(start.take(places), end.take(places), places, side)
    numbers = _are_numbers(column, low) & _are_numbers(column, high)
    places, column, low, high = (
        places[numbers],
        column[numbers],
        low.take(numbers),
        high.take(numbers),
    )
    if len(places):
        low, high = _adjacent(column, low, high, places, side)
    return places, column, low, high


def _one_column(
    start: Rows, end: Rows, places: Integers, side: Side
) -> tuple[Integers, Rows, Rows]:
    """Two rows for each pair, on two sides, that differ in one column only."""
    own = side(start, places)
    numbers = np.arange(len(start.columns))
    few = np.zeros(len(start), np.int64)
    many = np.full(len(start), len(start.columns))
    while (many - few > 1).any():
        middle = (few + many) // 2
        same = side(start.mixed(end, numbers < middle[:, None]), places) == own
        few, many = np.where(same, middle, few), np.where(same, many, middle)
    alone = numbers == few[:, None]
    decides = side(start.mixed(end, alone), places) != own
    low = start.mixed(end, (numbers < few[:, None]) & ~decides[:, None])
    return few, low, low.mixed(end, alone)


def _are_numbers(column: Integers, rows: Rows) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(rows), np.bool_)
    for index in rows.places_of("fiub"):
        found |= (column == index) & np.isfinite(rows.columns[index])
    return found


def _adjacent(
    column: Integers, low: Rows, high: Rows, places: Integers, side: Side
) -> tuple[Rows, Rows]:
    own = side(low, places)
    first, last = (_ordinals_at(column, rows) for rows in (low, high))
    for _ in range(_HALVINGS):
        middle = (first & last) + ((first ^ last) >> 1)  # the mean, without overflow
        if ((middle == first) | (middle == last)).all():
            break
        same = side(with_ordinals(low, column, middle), places) == own
        first, last = np.where(same, middle, first), np.where(same, last, middle)
    return with_ordinals(low, column, first), with_ordinals(low, column, last)


def _ordinals_at(column: Integers, rows: Rows) -> Integers:
    found = np.zeros(len(rows), np.int64)
    for index in set(column.tolist()):
        chosen = column == index
        found[chosen] = ordinals(rows.columns[index])[chosen]
    return found


def with_ordinals(rows: Rows, column: Integers, values: Integers) -> Rows:
    """The rows with these numbers in the columns of these indices."""
    for index in set(column.tolist()):
        old = rows.columns[index]
        new = np.where(column == index, values, ordinals(old))
        rows = rows.replaced(index, _number_of(new, old))
    return rows


def ordinals(values: Column) -> Integers:
    """Integers in the order of the numbers; those of adjacent float64 numbers differ by one."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    return _folded(values.astype(np.float64).view(np.int64))


def _number_of(numbers: Integers, like: Column) -> Column:
    if like.dtype.kind != "f":
        return numbers.astype(like.dtype)
    return _folded(numbers).view(np.float64).astype(like.dtype)


def _folded(bits: Integers) -> Integers:
    """Turns sign and magnitude into an integer, and back."""
    return np.where(bits >= 0, bits, np.iinfo(np.int64).min - bits)


def beside(column: Integers, low: Rows, high: Rows) -> list[Rows]:
    """The rows of two sides, and those one step beyond: of the type, and of float32."""
    pairs = [_ordinals_at(column, rows) for rows in (low, high)]
    found = [low, high]
    for step in (-1, 1):
        found += [with_ordinals(low, column, pair + step) for pair in pairs]
    for towards in (None, -np.inf, np.inf):
        rows = low
        for index in set(column.tolist()) & set(low.places_of("f")):
            single = low.columns[index].astype(np.float32)
            near = single if towards is None else np.nextafter(single, np.float32(towards))
            old = low.columns[index]
            rows = rows.replaced(index, np.where(column == index, near.astype(old.dtype), old))
        found.append(rows)
    return found
