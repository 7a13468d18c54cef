"""Describes data in MLflow: its source, with a digest."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.pandas_dataset import from_pandas

from training.observe import Observed
from training.partial import sha256_of

#: A script may read thousands of images.
_MAX_FILES = 100

#: Of MLflow, for a digest.
_MAX_DIGEST = 36


def log_table(
    table: pd.DataFrame, source: str, target: str, name: str, context: str, sha256: str | None
) -> None:
    """Describes rows as an input of the active run."""
    with _without_warnings():
        dataset = from_pandas(table, source=source, targets=target, name=name)
    mlflow.log_input(dataset, context=context, tags={"sha256": sha256} if sha256 else None)


def log_files(seen: Observed, folders: dict[Path, Path]) -> None:
    """Describes the files that a script has read from `folders`, with their hash.

    The values of `folders` are where they are from: a script may run in a copy.
    """
    files = [
        (file, folder, origin)
        for file in seen.read.keys() - seen.written.keys()
        for folder, origin in folders.items()
        if file.is_relative_to(folder) and file.is_file()
    ]
    for file, folder, origin in sorted(files)[:_MAX_FILES]:
        name = str(file.relative_to(folder))
        sha256 = sha256_of(file)
        with _without_warnings():
            source = resolve_dataset_source(str(origin / name))
        # Its base declares a property that it does not have.
        dataset = MetaDataset(source, name, sha256[:_MAX_DIGEST])  # type: ignore[abstract]
        mlflow.log_input(dataset, context="training", tags={"sha256": sha256})


@contextmanager
def _without_warnings() -> Iterator[None]:
    """MLflow registers its local file source twice, and warns that both match."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The specified dataset source can be interp")
        yield
