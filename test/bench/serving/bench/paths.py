"""Paths of the benchmark."""

from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PEERS = HERE / "peers"
APP = HERE.parents[2] / "app"

#: Outside the checkout: installed packages are kept for later runs.
CACHE = Path.home() / ".cache" / "ml-platform" / "bench-serving"
