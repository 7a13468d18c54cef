"""Repeated keys: counting quotation marks must never miss one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.endpoint import InvalidInput
from serving.models.rows import Decoder
from serving.models.signature import Column, Kind, Signature

TEXTS = Signature((Column("a", Kind.STRING), Column("é", Kind.STRING), Column("n", Kind.NUMBER)))
DECODE = Decoder(TEXTS, 3)
ANY_TEXT = st.text() | st.sampled_from(['"', '\\"', '"a":', "a", "features"])
ROW = st.tuples(ANY_TEXT, ANY_TEXT, st.floats(allow_nan=False, allow_infinity=False))


def record(row: tuple[str, str, float], more: str = "") -> str:
    first, second, number = map(json.dumps, row)
    return f'{{"a":{first},"é":{second},"n":{number}{more}}}'


@given(st.lists(ROW, min_size=1, max_size=3), st.booleans())
def test_any_strings_are_accepted(rows: list[tuple[str, str, float]], pure: bool) -> None:
    def accepted(features: str) -> list[tuple[str, str, float]]:
        return [tuple(row) for row in DECODE(f'{{"features":{features}}}'.encode())]

    by_place = [json.dumps(row, ensure_ascii=pure) for row in rows]
    by_name = [record(row) for row in rows]
    assert accepted(f"[{','.join(by_place)}]") == accepted(f"[{','.join(by_name)}]") == rows
    assert accepted(by_place[0]) == accepted(by_name[0]) == rows[:1]


@given(ROW, st.sampled_from(['"a"', '"\\u0061"', '"n"', '"é"', '"\\u00e9"']))
def test_a_repeated_column_is_refused(row: tuple[str, str, float], key: str) -> None:
    value = "1" if key == '"n"' else '""'
    repeated = record(row, f",{key}:{value}")
    for features in (repeated, f"[{repeated}]", f"[{record(row)},{repeated}]"):
        with pytest.raises(InvalidInput, match="duplicate_key"):
            DECODE(f'{{"features":{features}}}'.encode())


@given(ROW, st.sampled_from(['"features"', '"\\u0066eatures"']))
def test_repeated_features_are_refused(row: tuple[str, str, float], key: str) -> None:
    for features in (json.dumps(row), f"[{json.dumps(row)}]", record(row)):
        with pytest.raises(InvalidInput, match="duplicate_key"):
            DECODE(f'{{"features":{features},{key}:{features}}}'.encode())
