"""Reads the thresholds of the trees of an estimator."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from training.rows import FloatArray, Integers, Rows


@dataclass(frozen=True)
class Trees:
    """The inner nodes of all trees: a feature, a threshold, and a row that reaches the node."""

    #: The steps of a pipeline before the trees; None without.
    before: Any
    features: Integers
    thresholds: FloatArray
    reached_by: Integers
    #: Whether the trees round their input to float32, as all of scikit-learn's but histograms do.
    rounds: bool

    def values(self, rows: Rows) -> FloatArray:
        """The columns that the trees see."""
        return _seen(self.before, rows)

    def side(self, rows: Rows, places: Integers) -> npt.NDArray[np.bool_]:
        """Whether the row of each node is on the left of its threshold."""
        found = self.values(rows)[np.arange(len(rows)), self.features[places]]
        compared = found.astype(np.float32) if self.rounds else found
        sides: npt.NDArray[np.bool_] = compared.astype(np.float64) <= self.thresholds[places]
        return sides

    def take(self, places: npt.NDArray[Any]) -> "Trees":
        """Some of the nodes."""
        return Trees(
            self.before,
            self.features[places],
            self.thresholds[places],
            self.reached_by[places],
            self.rounds,
        )


def trees_of(estimator: BaseEstimator, rows: Rows) -> Trees | None:
    """The trees of the last step of an estimator, with which of `rows` reach a node.

    None without trees. A node that no row reaches is given the first row.
    """
    before = None
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        before, estimator = (estimator[:-1] if len(estimator) > 1 else None), estimator[-1]
    seen = _seen(before, rows)
    nodes = [*_of_members(estimator, seen)]
    rounds = bool(nodes)
    nodes = nodes or [*_of_histograms(estimator)]
    if not nodes:
        return None
    features, thresholds, reached_by = (np.concatenate(part) for part in zip(*nodes, strict=True))
    return Trees(before, features.astype(np.int64), thresholds, reached_by, rounds)


def _seen(before: Any, rows: Rows) -> FloatArray:  # noqa: ANN401
    table = rows.table() if before is None else before.transform(rows.table())
    if isinstance(table, pd.DataFrame):
        return table.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table, np.float64)


def _of_members(
    estimator: BaseEstimator, seen: FloatArray
) -> Iterator[tuple[Integers, FloatArray, Integers]]:
    members = [estimator] if hasattr(estimator, "tree_") else getattr(estimator, "estimators_", [])
    members = [*np.ravel(np.array(members, dtype=object))]
    subsets = getattr(estimator, "estimators_features_", [slice(None)] * len(members))
    for member, subset in zip(members, subsets, strict=True):
        if not hasattr(member, "tree_"):
            continue
        tree = member.tree_
        inner = np.flatnonzero(tree.children_left >= 0)
        own = np.arange(seen.shape[1])[subset]
        paths = tree.decision_path(np.ascontiguousarray(seen[:, own], np.float32)).tocsc()
        reached = np.diff(paths.indptr) > 0
        first = np.zeros(tree.node_count, np.int64)
        first[reached] = paths.indices[paths.indptr[:-1][reached]]
        yield own[tree.feature[inner]], tree.threshold[inner], first[inner]


def _of_histograms(estimator: BaseEstimator) -> Iterator[tuple[Integers, FloatArray, Integers]]:
    for stage in getattr(estimator, "_predictors", []):
        for predictor in stage:
            inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            zeros = np.zeros(len(inner), np.int64)
            yield inner["feature_idx"].astype(np.int64), inner["num_threshold"], zeros
