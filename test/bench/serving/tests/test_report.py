from dataclasses import replace

import pytest

from bench import report
from bench.aims import AIMS, Aim, medians
from bench.measure import Sample
from bench.targets import TARGETS

SAMPLE = Sample(
    target="ours",
    round=0,
    start=0.2,
    rate=20_000,
    cpu=40e-6,
    p50=0.0008,
    p99=0.002,
    paced_rate=10_000,
    paced_p50=0.0001,
    paced_p99=0.00025,
    memory=40 * 2**20,
    installed=29_000_000,
    answers=100_000,
    flaws="",
)


def test_the_median_of_each_number() -> None:
    rounds = [
        replace(SAMPLE, rate=rate, start=start)
        for rate, start in ((1.0, 9.0), (3.0, 1.0), (2.0, 5.0))
    ]
    found = medians([*rounds, replace(SAMPLE, target="gunicorn", rate=7.0)])
    assert found["ours"]["rate"] == 2.0
    assert found["ours"]["start"] == 5.0
    assert found["gunicorn"]["rate"] == 7.0


@pytest.mark.parametrize(
    ("bounds", "ratio", "met"),
    [
        ({"at_least": 10}, 10.0, True),
        ({"at_least": 10}, 9.99, False),
        ({"at_most": 0.5}, 0.5, True),
        ({"at_most": 0.5}, 0.51, False),
    ],
)
def test_a_value_equal_to_the_bound_meets_it(
    bounds: dict[str, float], ratio: float, met: bool
) -> None:
    assert Aim("", ("a", "rate"), ("b", "rate"), **bounds).is_met(ratio) is met


def test_the_ratio_has_the_correct_numerator() -> None:
    known = medians([SAMPLE, replace(SAMPLE, target="gunicorn", rate=2_000)])
    assert Aim("", ("ours", "rate"), ("gunicorn", "rate"), at_least=1).ratio(known) == 10


def test_an_aim_without_both_servers_is_omitted() -> None:
    text = report.aims(medians([SAMPLE]))
    assert "gunicorn" not in text
    assert "| p99 over p50 at half load, linear | ≤ 3 | 2.5 | met |" in text
    assert report.aims({}) == ""


def test_a_missed_aim_is_marked() -> None:
    known = medians([SAMPLE, replace(SAMPLE, target="gunicorn", rate=4_000)])
    row = "| requests/s, linear, over Flask under gunicorn | ≥ 10 | 5 | **not met** |"
    assert row in report.aims(known)


def test_no_rounding_makes_an_aim_met() -> None:
    known = medians([SAMPLE, replace(SAMPLE, target="gunicorn", rate=20_000 / 9.99)])
    row = "| requests/s, linear, over Flask under gunicorn | ≥ 10 | 9.9 | **not met** |"
    assert row in report.aims(known)


def test_every_aim_has_existing_servers_and_numbers() -> None:
    for aim in AIMS:
        for target, number in (aim.over, aim.under):
            assert target in TARGETS
            assert isinstance(getattr(SAMPLE, number), int | float)
        assert (aim.at_least is None) != (aim.at_most is None)


def test_each_model_has_a_table_with_the_fastest_first() -> None:
    slow, other = (
        replace(SAMPLE, target=target, rate=1_234.5) for target in ("gunicorn", "ours-forest")
    )
    text = report.results(medians([slow, SAMPLE, other]))
    first, second = text.split("Random forest")
    assert first.index("**ml-platform**") < first.index("gunicorn")
    times = "0.8, 2 ms | 0.1, 0.25 ms"
    assert f"| **ml-platform** | 20,000 | 40 µs | {times} | 40 MiB | 29 MB | 0.20 s |" in first
    assert "1,234" in second


def test_the_text_between_the_markers_is_replaced_repeatedly() -> None:
    document = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    once = report.put_between_markers(document, "new")
    assert once == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
    assert report.put_between_markers(once, "new") == once


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="begin: speed"):
        report.put_between_markers("nothing", "new")
