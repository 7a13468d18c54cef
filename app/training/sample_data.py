"""Writes real, public sample data into the data folder if it is not there yet.

`python -m training.sample_data` writes `$DATA_DIR/training_data.csv` from scikit-learn's diabetes
data set (442 patients): body-mass index and mean blood pressure, raw, and disease progression
after one year.
"""

import csv
import os
import sys
import tempfile
from pathlib import Path

from sklearn.datasets import load_diabetes

from training.data import COLUMNS, FILE_NAME
from training.settings import data_dir


def write_sample(folder: Path) -> bool:
    """Writes the sample unless a file of that name exists; returns whether it was written.

    The file is written under a temporary name and renamed, so it is never incomplete.
    """
    path = folder / FILE_NAME
    if path.exists():
        return False
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{FILE_NAME}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *_sample_rows()])
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(
                file.fileno(), 0o644
            )  # with mkstemp's 0600 other jobs of the team could not read it
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _sample_rows() -> list[list[float]]:
    data = load_diabetes(scaled=False)
    columns = [data.feature_names.index(name) for name in ("bmi", "bp")]
    return [
        [*features, target]
        for features, target in zip(
            data.data[:, columns].tolist(), data.target.tolist(), strict=True
        )
    ]


def main() -> int:
    """Command line entry; returns the exit code."""
    folder = data_dir()
    try:
        written = write_sample(folder)
    except OSError as error:
        print(f"sample data: cannot write to {folder}: {error.strerror}", file=sys.stderr)
        return 1
    state = "written" if written else "exists, not changed"
    print(f"sample data: {folder / FILE_NAME}: {state}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
