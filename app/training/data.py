"""Reads and validates the training data."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.failure import JobError

FILE_NAME = "training_data.csv"
FEATURES = ("feature1", "feature2")
TARGET = "target"
COLUMNS = (*FEATURES, TARGET)

#: Below this the held-out fifth has fewer than two rows, and R2 is not defined on one.
MIN_ROWS = 10


class DataError(JobError):
    """The training data cannot be used; the message says which file, which line, and why."""


@dataclass(frozen=True)
class TrainingData:
    """Validated rows, and the SHA-256 of the file that they were read from."""

    features: npt.NDArray[np.float64]
    target: npt.NDArray[np.float64]
    sha256: str
    path: Path


def load(path: Path) -> TrainingData:
    """Reads and validates a CSV with the columns `feature1`, `feature2` and `target`, in any order.

    Raises DataError for a missing or unreadable file, a missing or repeated column, a cell that is
    not a finite number, and for fewer than MIN_ROWS rows. Other columns are ignored.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    try:
        rows = list(_rows(path, text))
    except csv.Error as error:
        raise DataError(f"{path}: is not a CSV file: {error}") from error
    if len(rows) < MIN_ROWS:
        raise DataError(f"{path}: has {len(rows)} rows of data; at least {MIN_ROWS} are needed")
    table = np.array(rows, dtype=np.float64)
    return TrainingData(
        features=table[:, : len(FEATURES)],
        target=table[:, len(FEATURES)],
        sha256=hashlib.sha256(content).hexdigest(),
        path=path,
    )


def _rows(path: Path, text: str) -> Iterator[list[float]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    for name in COLUMNS:
        if header.count(name) != 1:
            problem = "is missing" if name not in header else "appears more than once"
            raise DataError(f"{path}: column {name!r} {problem}; the header is {header}")
    positions = [header.index(name) for name in COLUMNS]
    for cells in reader:
        if not cells:
            continue
        where = f"{path}: line {reader.line_num}"
        if len(cells) != len(header):
            raise DataError(f"{where}: has {len(cells)} cells, the header has {len(header)}")
        yield [
            _number(f"{where}, column {name!r}", cells[position])
            for name, position in zip(COLUMNS, positions, strict=True)
        ]


def _number(where: str, cell: str) -> float:
    # Python's float() also takes 1_000, and digits of other scripts, which other readers refuse.
    plain = cell.isascii() and "_" not in cell
    try:
        value = float(cell) if plain else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {cell[:40]!r} is not a finite number")
    return value
