"""Makes the rows on which a graph is compared with its estimator.

Graphs are wrong where a number decides: at a threshold of a tree, at a tie of votes, at a missing
value, at an unknown category. So most rows are made to be there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, is_classifier

from training.edges import beside, edges
from training.rows import Column, Integers, Rows, Table, stacked
from training.trees import Trees, trees_of

#: At most this many of the given rows, of each kind of made rows, of the thresholds, and of the
#: pairs of rows with other answers.
MAX_GIVEN = 4000
ROWS = 500
MAX_THRESHOLDS = 1000
PAIRS = 200

#: How far beyond the given numbers random numbers go, in widths of their range.
_BEYOND = 10.0

#: Where the shares or scores of two labels are continuous, their last digit decides on the label at
#: the edge. There rows are taken this far from it, relative to the number, as numbers may differ.
_ASIDE = 1e-6

_SEED = 42

Random = np.random.Generator


@dataclass(frozen=True)
class Probe:
    """Rows that the estimator takes, and what they are."""

    rows: Table
    text: str


def probe(estimator: BaseEstimator, features: Table) -> Probe:
    """The given rows (a sample of many), and rows that are made of them, always the same ones."""
    random = np.random.default_rng(_SEED)
    given = Rows.of(features)
    if len(given) > MAX_GIVEN:
        given = given.take(random.choice(len(given), MAX_GIVEN, replace=False))
    parts, texts = [given], [f"{len(given):,} of {len(features):,} given rows"]
    makers: list[Callable[[BaseEstimator, Rows, Random], tuple[str, list[Rows]]]]
    makers = [_made, _beside_thresholds, _beside_answers]
    for maker in makers:
        text, rows = maker(estimator, given, random)
        taken = [part for part in rows if len(part) and _takes(estimator, part)]
        if taken:
            texts.append(f"{sum(map(len, taken)):,} {text}")
            parts += taken
    return Probe(stacked(parts).table(), ", ".join(texts))


def _takes(estimator: BaseEstimator, rows: Rows) -> bool:
    """Whether the estimator predicts these rows: it may refuse missing values and categories."""
    try:
        estimator.predict(rows.table())
    except Exception:  # any estimator, any exception
        return False
    return True


def _made(_: BaseEstimator, given: Rows, random: Random) -> tuple[str, list[Rows]]:
    made = [given.crossed(random, ROWS)]
    for kinds in ("f", "iu"):
        for beyond in (0.0, _BEYOND):
            made.append(_drawn(given.crossed(random, ROWS), given, kinds, beyond, random))
    whole = given.crossed(random, ROWS)
    for index in whole.places_of("f"):
        whole = whole.replaced(index, np.rint(whole.columns[index]))
    unknown = given.crossed(random, ROWS)
    for index in unknown.places_of("O"):
        chosen = random.random(ROWS) < 0.3
        unknown = unknown.replaced(
            index, np.where(chosen, "unknown category", unknown.columns[index])
        )
    return "random rows", [*made, whole, unknown, _missing(given, random)]


def _drawn(rows: Rows, given: Rows, kinds: str, beyond: float, random: Random) -> Rows:
    """The rows with random numbers in and beyond the range of the given ones."""
    for index in given.places_of(kinds):
        column = given.columns[index]
        known = column[np.isfinite(column)].astype(np.float64)
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        wide = beyond * ((high - low) or 1.0)
        drawn: Column = random.uniform(low - wide, high + wide, len(rows))
        if column.dtype.kind != "f":
            limits = np.iinfo(column.dtype)
            drawn = np.rint(np.clip(drawn, limits.min / 2, limits.max / 2))
        rows = rows.replaced(index, drawn.astype(column.dtype))
    return rows


def _missing(given: Rows, random: Random) -> Rows:
    """Missing values in columns that have some: the signature, and so the service, allows no other.

    Estimators take more: trees predict them that were fitted without.
    """
    rows = given.crossed(random, ROWS)
    for index in given.places_of("f"):
        if np.isnan(given.columns[index]).any():
            chosen = random.random(ROWS) < 0.3
            rows = rows.replaced(index, np.where(chosen, np.nan, rows.columns[index]))
    return rows


def _beside_thresholds(
    estimator: BaseEstimator, given: Rows, random: Random
) -> tuple[str, list[Rows]]:
    trees = trees_of(estimator, given)
    if trees is None:
        return "", []
    count = len(trees.thresholds)
    chosen = trees.take(random.permutation(count)[:MAX_THRESHOLDS])
    other = _on_other_side(chosen, given, random)
    chosen, other = chosen.take(other >= 0), other[other >= 0]
    start, end = given.take(chosen.reached_by), given.take(other)
    places, column, low, high = edges(start, end, chosen.side)
    return f"rows beside {len(places):,} of {count:,} thresholds", beside(column, low, high)


def _on_other_side(trees: Trees, given: Rows, random: Random) -> Integers:
    """For each node a random row on the other side of its threshold; -1 if there is none."""
    nodes = np.arange(len(trees.thresholds))
    left = trees.side(given.take(trees.reached_by), nodes)
    seen = trees.values(given)
    order = random.permutation(len(given))
    found = np.full(len(nodes), -1)
    for node in nodes:
        values = seen[order, trees.features[node]]
        others = np.flatnonzero((values <= trees.thresholds[node]) != left[node])
        if len(others):
            found[node] = order[others[0]]
    return found


def _beside_answers(
    estimator: BaseEstimator, given: Rows, random: Random
) -> tuple[str, list[Rows]]:
    """Rows between which the prediction (the first, of several outputs) changes."""

    def side(rows: Rows, _: Integers) -> npt.NDArray[Any]:
        return np.asarray(estimator.predict(rows.table())).reshape(len(rows), -1)[:, 0]

    start, end = (given.take(random.integers(len(given), size=4 * PAIRS)) for _ in range(2))
    everywhere = np.arange(len(start))
    differ = np.flatnonzero(side(start, everywhere) != side(end, everywhere))[:PAIRS]
    _, column, low, high = edges(start.take(differ), end.take(differ), side)
    text = "rows where the answer changes"
    if not len(low):
        return text, []
    smooth = _continuous(estimator, low, high)
    sharp = beside(column[~smooth], low.take(~smooth), high.take(~smooth))
    return text, [*sharp, *_aside(column[smooth], low.take(smooth), given)]


def _continuous(estimator: BaseEstimator, low: Rows, high: Rows) -> npt.NDArray[np.bool_]:
    """Where the shares or scores of two labels change by no more than predictions may differ."""
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    if not is_classifier(estimator) or not hasattr(estimator, method):
        return np.zeros(len(low), np.bool_)
    scores = [np.asarray(getattr(estimator, method)(rows.table())) for rows in (low, high)]
    if scores[0].shape[:1] != (len(low),):  # of several outputs
        return np.zeros(len(low), np.bool_)
    change: Column = np.abs(scores[0] - scores[1]).reshape(len(low), -1).max(axis=1)
    return change < _ASIDE


def _aside(column: Integers, rows: Rows, given: Rows) -> list[Rows]:
    found = []
    for sign in (-1, 1):
        moved = rows
        for index in set(column.tolist()) & set(rows.places_of("f")):
            values = rows.columns[index]
            step = (
                sign * _ASIDE * np.maximum(np.nanmax(np.abs(given.columns[index])), np.abs(values))
            )
            moved = moved.replaced(index, np.where(column == index, values + step, values))
        found.append(moved)
    return found
