"""What users configure, vars in dbt_project.yml and seeds/*.csv, and the mistakes in it."""

import csv
import difflib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import yaml

from scripts.errors import UsageProblem
from scripts.fingerprint import PROJECT, SALT
from scripts.sql import literal

SHOWN = 10  # mistakes in one message

_READ_VAR = re.compile(r"\bvar\('(\w+)'")
_TYPES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "bigint": "a whole number",
    "double": "a number",
}


# ---------- vars


def _is_zone(value: Any) -> bool:
    query = f"select count(*) from pg_timezone_names() where name = {literal(str(value))}"  # noqa: S608
    return duckdb.execute(query).fetchall() != [(0,)]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


_TEXTS = ("a list of texts, such as [email]", _is_texts)
_SHARE = ("a number from 0 to 1", _is_share)
# What a var may be. Its meaning and its default are in dbt_project.yml.
VARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "reporting_timezone": ("an IANA time zone, such as UTC or Europe/Berlin", _is_zone),
    "session_gap_minutes": (
        "a number above 0, 525600 (a year) at most",
        lambda value: _is_number(value) and 0 < value <= 525600,
    ),
    "trait_merge": ("latest_value or latest_row", ("latest_value", "latest_row").__contains__),
    "user_traits": _TEXTS,
    "company_traits": _TEXTS,
    "traits_to_hash": _TEXTS,
    "traits_to_drop": _TEXTS,
    "excluded_users": _TEXTS,
    "excluded_hostnames": _TEXTS,
    "excluded_user_agents": _TEXTS,
    "error_budget": _SHARE,
    "srm_threshold": _SHARE,
    "effectiveness_days": (
        "a whole number from 1 to 3650",
        lambda value: type(value) is int and 1 <= value <= 3650,
    ),
}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of the project's configuration.

    Raises:
        UsageProblem: it is not there, or no YAML.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageProblem(f"Cannot read {path}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path.name} is no YAML: {' '.join(str(error).split())}.") from None
    return content if isinstance(content, dict) else {}


def variables(project: Path = PROJECT) -> dict[str, Any]:
    """Read the vars of dbt_project.yml."""
    return read_yaml(project / "dbt_project.yml").get("vars") or {}


def var_mistakes(project: Path = PROJECT) -> Iterator[str]:
    """Find vars that are missing, of the wrong type, or read by nothing."""
    given = variables(project)
    for name, (meaning, is_right) in VARS.items():
        if name not in given:
            yield f"dbt_project.yml: the var {name} is missing."
        elif not is_right(given[name]):
            yield f"dbt_project.yml: the var {name} is `{given[name]}`, it must be {meaning}."
    read = {*VARS, *_vars_read(project)}
    for name in given.keys() - read:
        near = difflib.get_close_matches(name, read, 1)
        hint = f" Do you mean {near[0]}?" if near else ""
        yield f"dbt_project.yml: nothing reads the var {name}.{hint}"


def _vars_read(project: Path) -> Iterator[str]:
    for folder in ("models", "macros"):
        for path in (project / folder).rglob("*.sql"):
            yield from _READ_VAR.findall(path.read_text())


def salt_mistakes(project: Path = PROJECT) -> Iterator[str]:
    """Find that traits shall be hashed and there is no salt."""
    if variables(project).get("traits_to_hash") and not os.environ.get(SALT):
        yield (
            f"The var traits_to_hash names traits to hash, but there is no salt. Set {SALT} to a"
            " long random text, the same for every build."
        )


# ---------- seeds


def seed_mistakes(project: Path = PROJECT) -> Iterator[str]:
    """Find what is wrong in the CSV files, by the columns that seeds/_seeds.yml declares."""
    for seed in read_yaml(project / "seeds/_seeds.yml").get("seeds") or []:
        path = project / "seeds" / f"{seed['name']}.csv"
        filled = {
            column["name"]
            for column in seed["columns"]
            if "not_null" in column.get("data_tests", [])
        }
        for line, mistake in _mistakes_of(path, seed["config"]["column_types"], filled):
            place = f"seeds/{path.name}, line {line}" if line else f"seeds/{path.name}"
            yield f"{place}{mistake}"


def _mistakes_of(
    path: Path, types: dict[str, str], filled: set[str]
) -> Iterator[tuple[int | None, str]]:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        yield None, f": {error.strerror}."
        return
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield line, " is not UTF-8: save the file as CSV UTF-8."
        return
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        yield from ((1, mistake) for mistake in _header_mistakes(header, list(types)))
        if sorted(header) != sorted(types):
            return
        cells: dict[str, list[tuple[int, str]]] = {name: [] for name in header}
        line = rows.line_num + 1
        for row in rows:
            if row and len(row) != len(header):
                yield line, f" has {len(row)} cells, {len(header)} are needed."
            elif row:
                for name, cell in zip(header, row, strict=True):
                    cells[name].append((line, cell))
            line = rows.line_num + 1
    except csv.Error as error:
        yield rows.line_num, f": {error}. A text with a comma or a quote stands in quotes."
        return
    for name, column in cells.items():
        yield from _cell_mistakes(column, name, types[name], name in filled)


def _header_mistakes(header: list[str], columns: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(header):
        if name not in columns:
            yield f": unknown column `{name}`, the columns are {', '.join(columns)}."
        elif header.count(name) > 1:
            yield f": the column {name} is there twice."
    for name in columns:
        if name not in header:
            yield f": the column {name} is missing."


def _cell_mistakes(
    cells: list[tuple[int, str]], name: str, kind: str, filled: bool
) -> Iterator[tuple[int, str]]:
    """Find empty cells, and those that DuckDB reads as nothing or rounds."""
    if filled:
        yield from ((line, f", column {name}: is empty.") for line, cell in cells if not cell)
    if kind not in _TYPES:
        return
    given = [(line, cell) for line, cell in cells if cell]
    cast = f"try_cast(cell as {kind})"
    is_exact = f"{cast} is not null" if kind == "boolean" else f"{cast} = try_cast(cell as double)"
    texts = literal(cell for _, cell in given)
    read = duckdb.execute(
        f"select coalesce({is_exact}, false) from (select unnest({texts}::varchar[]) as cell)"  # noqa: S608
    ).fetchall()
    for (line, cell), (is_right,) in zip(given, read, strict=True):
        if not is_right:
            yield line, f", column {name}: `{cell}` is not {_TYPES[kind]}."


# ---------- both


def refuse_mistakes() -> None:
    """Check the configuration before work is done on it.

    Raises:
        UsageProblem: what is to be mended.
    """
    if found := [*var_mistakes(), *salt_mistakes(), *seed_mistakes()]:
        raise UsageProblem(f"{in_short(found)}\nMend the configuration, then run this again.")


def in_short(mistakes: Iterable[str]) -> str:
    """Write mistakes one a line, the first ones of many."""
    found = list(mistakes)
    rest = [f"... and {len(found) - SHOWN} more."] if found[SHOWN:] else []
    return "\n".join([*found[:SHOWN], *rest])
