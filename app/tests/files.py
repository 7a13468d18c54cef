"""The files of a registered version that a test has in memory, or in a folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from serving.models.signature import DEFAULT_ONNX
from serving.registered import DESCRIPTION_FILE


@dataclass(frozen=True)
class ModelFiles:
    """A version with an ONNX file, and perhaps an MLmodel file."""

    name: str
    version: str
    onnx: bytes
    mlmodel: bytes | None

    def read(self, file: str, limit: int | None = None) -> bytes | None:  # noqa: ARG002
        return {DEFAULT_ONNX: self.onnx, DESCRIPTION_FILE: self.mlmodel}.get(file)

    def address(self, file: str) -> str:
        return file

    def save(self, folder: Path) -> None:
        raise AssertionError(folder)  # it has no other flavour


@dataclass(frozen=True)
class ModelFolder:
    """A version as MLflow saves it."""

    folder: Path
    name: str = "demo"
    version: str = "3"

    def read(self, file: str, limit: int | None = None) -> bytes | None:  # noqa: ARG002
        path = self.folder / file
        return path.read_bytes() if path.is_file() else None

    def address(self, file: str) -> str:
        return file

    def save(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
