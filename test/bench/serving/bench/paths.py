"""Where things are."""

from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PEERS = HERE / "peers"
APP = HERE.parents[2] / "app"

#: Outside the checkout: what was installed stays from run to run, keyed by what was asked for.
CACHE = Path.home() / ".cache" / "ml-platform" / "bench-serving"
