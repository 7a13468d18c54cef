"""Draws the comparison: `python plot.py FILE.svg`, in the plot venv, with JSON on standard input.

The JSON is a list of {"label", "rate", "cpu", "ours"}, the fastest first; `cpu` in microseconds.
"""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
# Without a date and random IDs, the same values give the same file.
matplotlib.rcParams["svg.hashsalt"] = "ml-platform"
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # noqa: E402 (the backend is chosen before)

_OURS, _PEER = "#2563eb", "#94a3b8"


def draw(bars: list[dict[str, Any]], path: str) -> None:
    """Two horizontal bar charts next to each other, with the same names."""
    figure, charts = pyplot.subplots(1, 2, figsize=(10, 0.5 + 0.42 * len(bars)), sharey=True)
    labels = [bar["label"] for bar in bars]
    colors = [_OURS if bar["ours"] else _PEER for bar in bars]
    titles = {"rate": "Requests per second", "cpu": "CPU time per request (µs)"}
    for chart, (key, title) in zip(charts, titles.items(), strict=True):
        drawn = chart.barh(labels, [bar[key] for bar in bars], color=colors, height=0.65)
        chart.bar_label(drawn, [f"{bar[key]:,.0f}" for bar in bars], padding=4, fontsize=9)
        chart.set_title(title, fontsize=11, loc="left")
        chart.margins(x=0.18)
        chart.xaxis.set_visible(False)
        chart.spines[["top", "right", "bottom"]].set_visible(False)
        chart.tick_params(length=0)
    charts[0].invert_yaxis()
    figure.tight_layout()
    drawing = StringIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None}, facecolor="white")
    # For accessibility; browsers do not read the title of matplotlib.
    title = f"<title>{' and '.join(titles.values())}, by server</title>"
    head, body = drawing.getvalue().split(" <metadata>", 1)
    Path(path).write_text(f"{head} {title}\n <metadata>{body}")


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
