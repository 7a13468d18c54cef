"""The report: Markdown tables of results and aims."""

from math import ceil, floor

from bench.aims import AIMS, Aim, Medians
from bench.targets import TARGETS

MODELS = {
    "linear": "Linear regression, 2 features",
    "forest": "Random forest of 100 trees, 10 features",
    "logistic": "Scaler and logistic regression, 30 features",
}

_HEAD = (
    "| Server | Requests/s | CPU per request | p50, p99 at full load | p50, p99 at half of it "
    "| Memory | Packages | Start |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
)


def results(known: Medians) -> str:
    """One table for each model, the fastest server first."""
    tables = []
    for model, title in MODELS.items():
        names = [name for name in known if TARGETS[name].model == model]
        if names:
            names.sort(key=lambda name: -known[name]["rate"])
            rows = [_row(TARGETS[name].label, known[name]) for name in names]
            tables.append("\n".join([f"{title}:", "", *_HEAD, *rows]))
    return "\n\n".join(tables)


def _row(label: str, of: dict[str, float]) -> str:
    cells = (
        label,
        f"{of['rate']:,.0f}",
        f"{of['cpu'] * 1e6:,.0f} µs",
        f"{_ms(of['p50'])}, {_ms(of['p99'])} ms",
        f"{_ms(of['paced_p50'])}, {_ms(of['paced_p99'])} ms",
        f"{of['memory'] / 2**20:.0f} MiB",
        f"{of['installed'] / 1e6:.0f} MB",
        f"{of['start']:.2f} s",
    )
    return f"| {' | '.join(cells)} |"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2g}" if seconds < 0.01 else f"{seconds * 1e3:.0f}"


def aims(known: Medians) -> str:
    """Bound and measured ratio of each aim whose servers were measured."""
    rows = [_aim(aim, ratio) for aim in AIMS if (ratio := aim.ratio(known)) is not None]
    if not rows:
        return ""
    return "\n".join(["| Aim | Bound | Measured | |", "|---|--:|--:|---|", *rows])


def _aim(aim: Aim, ratio: float) -> str:
    bound = f"≥ {aim.at_least:g}" if aim.at_least is not None else f"≤ {aim.at_most:g}"
    result = "met" if aim.is_met(ratio) else "**not met**"
    return f"| {aim.text} | {bound} | {_short_of(aim, ratio)} | {result} |"


def _short_of(aim: Aim, ratio: float) -> str:
    # Rounded to the worse value, so that no rounding makes an aim met.
    scale = 10 if ratio >= 5 else 100
    rounded = floor(ratio * scale) if aim.at_least is not None else ceil(ratio * scale)
    return f"{rounded / scale:g}"


BEGIN, END = "<!-- begin: speed -->", "<!-- end: speed -->"


def put_between_markers(document: str, text: str) -> str:
    """Replaces the text between the two markers. Raises ValueError if they are missing."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"the document must contain {BEGIN} and {END} once each")
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"
