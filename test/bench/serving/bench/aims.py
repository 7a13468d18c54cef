"""Medians of samples, and aims for ratios of medians."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, fields

from bench.measure import Sample

#: Median of each number of Sample, by target and name.
Medians = dict[str, dict[str, float]]


def medians(samples: Iterable[Sample]) -> Medians:
    """The median over the rounds of each number of each target."""
    by_target: dict[str, list[Sample]] = {}
    for sample in samples:
        by_target.setdefault(sample.target, []).append(sample)
    numbers = [field.name for field in fields(Sample) if field.type in (int, float)]
    return {
        target: {name: statistics.median(getattr(one, name) for one in found) for name in numbers}
        for target, found in by_target.items()
    }


@dataclass(frozen=True)
class Aim:
    """A ratio of two medians with a lower or upper bound."""

    text: str
    #: Target and number of numerator and denominator.
    over: tuple[str, str]
    under: tuple[str, str]
    at_least: float | None = None
    at_most: float | None = None

    def ratio(self, known: Medians) -> float | None:
        """The measured ratio; None if one of its targets was not measured."""
        above, below = (known.get(target, {}).get(name) for target, name in (self.over, self.under))
        return above / below if above is not None and below else None

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio meets the aim."""
        low, high = self.at_least or 0, self.at_most or float("inf")
        return low <= ratio <= high


def _faster(peer: str, label: str, bound: float, ours: str = "ours") -> Aim:
    return Aim(f"requests/s, {label}", (ours, "rate"), (peer, "rate"), at_least=bound)


def _resources(ours: str, seed: str, model: str, packages: float) -> tuple[Aim, ...]:
    return (
        Aim(
            f"bytes of packages, {model}, over Flask's",
            (ours, "installed"),
            (seed, "installed"),
            at_most=packages,
        ),
        Aim(f"memory, {model}, over Flask's", (ours, "memory"), (seed, "memory"), at_most=0.5),
        Aim(f"start, {model}, over Flask's", (ours, "start"), (seed, "start"), at_most=0.12),
        Aim(
            f"p99 over p50 at half load, {model}",
            (ours, "paced_p99"),
            (ours, "paced_p50"),
            at_most=3,
        ),
    )


AIMS = (
    _faster("gunicorn", "linear, over Flask under gunicorn", 10),
    _faster("fastapi", "linear, over FastAPI", 6),
    _faster("mlserver", "linear, over MLServer", 12),
    _faster("mlflow", "linear, over mlflow models serve", 10),
    _faster("gunicorn-forest", "random forest, over Flask under gunicorn", 7, "ours-forest"),
    _faster("gunicorn-logistic", "pipeline, over Flask under gunicorn", 7, "ours-logistic"),
    _faster("ours-no-op", "linear, over a route that does nothing", 0.85),
    _faster("ours-no-metrics", "linear, over metrics switched off", 0.9),
    *_resources("ours", "gunicorn", "linear", 0.5),
    *_resources("ours-forest", "gunicorn-forest", "random forest", 0.8),
    *_resources("ours-logistic", "gunicorn-logistic", "pipeline", 0.8),
)
