"""Values written into SQL come back as they were."""

import duckdb
import pytest

from scripts.sql import files, literal

HOSTILE = [
    "it's",
    "''",
    "\\'",
    "a\0b",
    "\0",
    "",
    "line\nend",
    '"; drop table t; --',
    "{{ x }}",
    "ü",
    "𝄞",
]


@pytest.mark.parametrize("value", [*HOSTILE, 7, -1, HOSTILE, [1, 2]])
def test_a_literal_is_the_value(value: str | int | list[str | int]) -> None:
    assert duckdb.execute(f"select {literal(value)}").fetchall() == [(value,)]


def test_a_file_name_is_no_pattern() -> None:
    assert files(["a*[b]?.json"]) == "['a[*][[]b][?].json']"
