"""The gate: which settings are valid, and which models pass."""

import json
import math
from typing import Any

import pytest

from training.gate import Gate, GateError, Score, Verdict, decide, parse

MINIMUM = Gate("r2", minimum=0.8)
BETTER = Gate("r2", better_than="champion", data="holdout.csv")
BOTH = Gate("r2", 0.8, "champion", "holdout.csv")
UNKNOWN = Score(None, "unknown, as it cannot be measured")


def test_all_keys() -> None:
    text = (
        '{"metric": "r2", "minimum": 1, "betterThan": "champion", "data": "a/b.csv", "target": "y"}'
    )
    assert parse(text) == Gate("r2", 1.0, "champion", "a/b.csv", "y")
    assert parse('{"metric": "r2", "minimum": 0.8, "betterThan": null}') == MINIMUM


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("r2 > 0.8", "is not JSON: Expecting value: line 1 column 1 (char 0); example: {"),
        (["r2"], "is not a JSON object; example: {"),
        ({"minimum": 1}, "has no metric; example: {"),
        ({"metric": "r2"}, "has neither minimum nor betterThan; set one, or both"),
        ({"metric": 2, "minimum": 1}, "metric is 2, which is not a text"),
        ({"metric": " ", "minimum": 1}, 'metric is " ", which is not a text'),
        ({"metric": "r2", "minimum": "0.8"}, 'minimum is "0.8", which is not a finite number'),
        ({"metric": "r2", "minimum": True}, "minimum is true, which is not a finite number"),
        ({"metric": "r2", "minimum": math.nan}, "minimum is NaN, which is not a finite number"),
        ({"metric": "r2", "minimum": math.inf}, "minimum is Infinity, which is not a finite"),
        ({"metric": "r2", "betterThan": True}, "betterThan is true, which is not a text"),
        ({"metric": "r2", "minimum": 1, "data": "/etc/x"}, "data is '/etc/x', which is not a path"),
        ({"metric": "r2", "minimum": 1, "data": "a/../../x"}, "which is not a path in the data"),
        (
            {"metric": "r2", "better_than": "champion"},
            "has the unknown key 'better_than'; "
            "its keys are betterThan, data, metric, minimum, target",
        ),
    ],
)
def test_invalid_settings(given: Any, said: str) -> None:  # noqa: ANN401
    with pytest.raises(GateError) as caught:
        parse(given if isinstance(given, str) else json.dumps(given))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("gate", "score", "rival", "verdict"),
    [
        (MINIMUM, Score(0.8), None, Verdict(True, "r2 is 0.8: at least 0.8")),
        (
            MINIMUM,
            Score(0.7999999999999999),
            None,
            Verdict(False, "r2 is 0.7999999999999999: less than 0.8"),
        ),
        (MINIMUM, Score(math.nan), None, Verdict(False, "r2 is nan")),
        (MINIMUM, Score(math.inf), None, Verdict(False, "r2 is inf")),
        (MINIMUM, UNKNOWN, None, Verdict(False, "r2 is unknown, as it cannot be measured")),
        (BETTER, Score(-3.5), None, Verdict(True, "r2 is -3.5: no version has the alias champion")),
        (BETTER, Score(math.nan), None, Verdict(False, "r2 is nan")),
        (
            BETTER,
            Score(0.5),
            Score(0.4),
            Verdict(True, "r2 is 0.5: better than 0.4 of champion"),
        ),
        (
            BETTER,
            Score(0.5),
            Score(0.5),
            Verdict(False, "r2 is 0.5: not better than 0.5 of champion"),
        ),
        (
            BETTER,
            Score(0.4),
            Score(0.5),
            Verdict(False, "r2 is 0.4: not better than 0.5 of champion"),
        ),
        (
            BETTER,
            Score(0.5),
            Score(math.nan),
            Verdict(
                False,
                "r2 of champion is nan, so that nothing can be compared; "
                "set the alias yourself, or remove betterThan",
            ),
        ),
        (
            BETTER,
            Score(0.5),
            UNKNOWN,
            Verdict(
                False,
                "r2 of champion is unknown, as it cannot be measured, so that nothing can be "
                "compared; set the alias yourself, or remove betterThan",
            ),
        ),
        (
            BOTH,
            Score(0.9),
            Score(0.85),
            Verdict(True, "r2 is 0.9: at least 0.8, better than 0.85 of champion"),
        ),
        (BOTH, Score(0.7), Score(0.6), Verdict(False, "r2 is 0.7: less than 0.8")),
        (
            BOTH,
            Score(0.85),
            Score(0.9),
            Verdict(False, "r2 is 0.85: not better than 0.9 of champion"),
        ),
        (
            BOTH,
            Score(0.8),
            None,
            Verdict(True, "r2 is 0.8: at least 0.8, no version has the alias champion"),
        ),
    ],
)
def test_verdicts(gate: Gate, score: Score, rival: Score | None, verdict: Verdict) -> None:
    assert decide(gate, score, rival) == verdict
