"""Comparison of a recounted table with a built one, in words a person can act on."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from .base import grouped

Rows = Sequence[Mapping[str, object]]

# The warehouse promises its normal distribution to 1e-7 and writes 1.959964 for the quantile.
TOLERANCES = {
    "p_value": 1e-7,
    "holm_p_value": 1e-7,
    "srm_p_value": 1e-7,
    "conversion_rate_low": 1e-7,
    "conversion_rate_high": 1e-7,
    "difference_low": 1e-7,
    "difference_high": 1e-7,
}
JSON_COLUMNS = {"metadata", "traits"}
# When a file was loaded and in which words it failed: the input does not tell.
UNTOLD = {"loaded_at", "error"}
SHOWN = 10


def compare(expected_rows: Rows, actual_rows: Rows, key_columns: Sequence[str]) -> list[str]:
    """The differences, none where the tables agree: missing rows, surplus rows, other values.

    A column without an expectation is a difference too, unless it is a surrogate key. Rows that
    share a key are paired in order.
    """
    expected, actual = (_by_key(rows, key_columns) for rows in (expected_rows, actual_rows))
    differences: list[str] = []
    for key in sorted(expected.keys() | actual.keys()):
        wanted, found = expected.get(key, []), actual.get(key, [])
        where = ", ".join(f"{name}={value}" for name, value in zip(key_columns, key, strict=True))
        if len(wanted) != len(found):
            differences.append(f"[{where}] rows: expected {len(wanted)}, found {len(found)}")
            continue
        for one, other in zip(wanted, found, strict=True):
            differences.extend(
                f"[{where}] {column}: expected {value!r}, found {other.get(column, 'no column')!r}"
                for column, value in one.items()
                if column not in other or not same(column, value, other[column])
            )
            differences.extend(
                f"[{where}] {column}: nothing was expected, found {other[column]!r}"
                for column in other.keys() - one.keys()
                if not _is_untold(column)
            )
    return differences


def report(differences: Sequence[str]) -> str:
    """The first differences, and how often each column is concerned."""
    columns = grouped(differences, lambda text: text.split("] ", 1)[1].split(":")[0])
    counts = ", ".join(f"{column} {len(texts)}" for column, texts in columns.items())
    return "\n".join([f"{len(differences)} differences: {counts}", *differences[:SHOWN]])


def same(column: str, one: object, other: object) -> bool:
    """Whether two values of a column agree."""
    if one is None or other is None:
        return one is other
    if column in JSON_COLUMNS:
        return _parsed(one) == _parsed(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, (int, float, Decimal)):
        tolerance = TOLERANCES.get(column, 1e-12)
        return math.isclose(one, float(other), rel_tol=1e-9, abs_tol=tolerance)
    return one == other


def _by_key(
    rows: Iterable[Mapping[str, object]], key_columns: Sequence[str]
) -> dict[tuple[str, ...], list[Mapping[str, object]]]:
    groups = grouped(rows, lambda row: tuple(repr(row.get(name)) for name in key_columns))
    for group in groups.values():
        if len(group) > 1:
            group.sort(
                key=lambda row: sorted((k, str(v)) for k, v in row.items() if not _is_untold(k))
            )
    return groups


def _is_untold(column: str) -> bool:
    return column in UNTOLD or column.endswith("_key")


def _parsed(value: object) -> object:
    return json.loads(str(value), parse_float=Decimal) if isinstance(value, str) else value
