"""Rows as columns, so that single cells can be changed whatever their types are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Table = FloatArray | pd.DataFrame
Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """The columns of a table, with a table of the same form and types."""

    columns: list[Column]
    form: Table

    @staticmethod
    def of(table: Table) -> "Rows":
        """The rows of a table."""
        if isinstance(table, pd.DataFrame):
            return Rows([table.iloc[:, i].to_numpy() for i in range(table.shape[1])], table)
        return Rows(list(table.T), table)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns[0])

    def table(self) -> Table:
        """The rows as a table of the original form and types."""
        if not isinstance(self.form, pd.DataFrame):
            matrix: FloatArray = np.column_stack(self.columns).astype(self.form.dtype)
            return matrix
        types = self.form.dtypes.tolist()
        columns = [
            column.astype(kind) if isinstance(kind, np.dtype) else pd.array(column, dtype=kind)
            for column, kind in zip(self.columns, types, strict=True)
        ]
        frame = pd.DataFrame(dict(enumerate(columns)))
        frame.columns = self.form.columns
        return frame

    def take(self, places: Column) -> "Rows":
        """The rows at these places, or where an array of booleans says so."""
        return Rows([column[places] for column in self.columns], self.form)

    def places_of(self, kinds: str) -> list[int]:
        """The columns whose type has one of these letters of numpy: `f`, `i`, `O` and so on."""
        return [i for i, column in enumerate(self.columns) if column.dtype.kind in kinds]

    def crossed(self, random: np.random.Generator, count: int) -> "Rows":
        """New rows: each cell is that of a random row."""
        return Rows(
            [column[random.integers(len(self), size=count)] for column in self.columns], self.form
        )

    def replaced(self, column: int, values: Column) -> "Rows":
        """The same rows with other values in a column."""
        return Rows(
            [values if i == column else other for i, other in enumerate(self.columns)], self.form
        )

    def mixed(self, other: "Rows", taken: npt.NDArray[np.bool_]) -> "Rows":
        """The rows, with the cells of `other` where `taken` [rows, columns] says so."""
        return Rows(
            [np.where(taken[:, i], other.columns[i], own) for i, own in enumerate(self.columns)],
            self.form,
        )


def stacked(parts: list[Rows]) -> Rows:
    """The rows of all parts."""
    columns = [np.concatenate(same) for same in zip(*(part.columns for part in parts), strict=True)]
    return Rows(columns, parts[0].form)
