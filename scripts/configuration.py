"""What users configure, vars in dbt_project.yml and seeds/*.csv, and the mistakes in it."""

import csv
import difflib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import duckdb
import yaml

from scripts import PROJECT
from scripts.errors import UsageProblem
from scripts.fingerprint import SALT
from scripts.sql import literal

SHOWN = 10  # mistakes in one message

_READ_VAR = re.compile(r"\bvar\('(\w+)'")
_TYPES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "bigint": "a whole number",
    "double": "a number",
}
# What a cell may be where not every number means something; windows are up to a hundred years.
_RANGES = {
    "planned_share": ("0.000001", "1000000"),
    "position": ("1", "2147483647"),
    "goal_window_days": ("0", "36500"),
    "window_seconds": ("0", "3153600000"),
}

Row = tuple[int, dict[str, Any]]  # with its line
Mistake = tuple[int | None, str]


# ---------- vars


def _is_zone(value: Any) -> bool:
    query = f"select count(*) from pg_timezone_names() where name = {literal(str(value))}"  # noqa: S608
    return duckdb.execute(query).fetchall() != [(0,)]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_share(value: Any) -> bool:
    """Tell whether something is a number from 0 to 1."""
    return _is_number(value) and 0 <= value <= 1


_TEXTS = ("a list of texts, such as [email]", _is_texts)
_SHARE = ("a number from 0 to 1", is_share)
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
    given = read_yaml(project / "dbt_project.yml").get("vars")
    return given if isinstance(given, dict) else {}


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

    yield from _trait_column_mistakes(given, project)


def _trait_column_mistakes(given: dict[str, Any], project: Path) -> Iterator[str]:
    """Find traits whose columns would take the name of another, which DuckDB then renames."""
    for name, mart in (("user_traits", "users"), ("company_traits", "companies")):
        (model,) = read_yaml(project / f"models/marts/core/{mart}.yml")["models"]
        taken = {column["name"] for column in model["columns"]}
        traits: Any = given.get(name)
        for trait in traits if _is_texts(traits) else []:
            column = _trait_column(trait)
            if column in taken:
                yield (
                    f"dbt_project.yml: the var {name} has `{trait}`, but {mart} has a column"
                    f" {column} already: leave it out."
                )
            taken.add(column)


def _trait_column(trait: str) -> str:
    """Name the column as the macro `trait_column_name` does."""
    safe = re.sub("[^a-z0-9_]", "_", trait.lower())
    return safe if re.match("[a-z_]", safe) else f"_{safe}"


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


@dataclass(frozen=True)
class Seed:
    """What seeds/_seeds.yml declares of a CSV file."""

    path: Path
    types: dict[str, str]
    filled: set[str]
    keys: list[list[str]]
    tests: set[str]


def declared_seeds(project: Path = PROJECT) -> list[Seed]:
    """Read what seeds/_seeds.yml declares.

    Raises:
        UsageProblem: it is not laid out as it must be.
    """
    path = project / "seeds/_seeds.yml"
    try:
        return [_seed(path.parent, declared) for declared in read_yaml(path)["seeds"]]
    except KeyError as error:
        wrong = f"`{error.args[0]}` is missing or misspelled"
    except (AttributeError, TypeError):
        wrong = "a list, a key or a text stands where another of them is needed"
    raise UsageProblem(
        f"seeds/{path.name}: {wrong}. It lists `seeds`, each with `name`, `config` with"
        " `column_types`, and `columns`, each with `name`."
    )


def _seed(folder: Path, declared: dict[str, Any]) -> Seed:
    types = {name: str(kind) for name, kind in declared["config"]["column_types"].items()}
    tests = declared.get("data_tests", [])
    unique = [one["unique_combination"] for one in tests if "unique_combination" in one]
    keys = [one.get("arguments", one)["columns"] for one in unique]
    if unknown := {*chain.from_iterable(keys)} - types.keys():
        raise KeyError(min(unknown))
    return Seed(
        path=folder / f"{declared['name']}.csv",
        types=types,
        filled={
            column["name"]
            for column in declared["columns"]
            if "not_null" in column.get("data_tests", [])
        },
        keys=keys,
        tests={one for one in tests if isinstance(one, str)},
    )


def seed_mistakes(project: Path = PROJECT) -> Iterator[str]:
    """Find what is wrong in the CSV files, by the columns and tests that are declared."""
    for seed in declared_seeds(project):
        for line, mistake in _mistakes_of(seed):
            place = f"seeds/{seed.path.name}, line {line}" if line else f"seeds/{seed.path.name}"
            yield f"{place}{mistake}"


def _mistakes_of(seed: Seed) -> list[Mistake]:
    """Find mistakes in cells; where there are none, those of the rows together."""
    rows, mistakes = read_seed(seed)
    for name in seed.types:
        mistakes += _cell_mistakes([(line, row[name]) for line, row in rows], name, seed)
    return mistakes or [*_row_mistakes(_typed(rows, seed.types), seed)]


def read_seed(seed: Seed) -> tuple[list[Row], list[Mistake]]:
    """Read the cells of each row, and find what cannot be read."""
    try:
        content = seed.path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        return [], [(None, f": {error.strerror}.")]
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [(line, " is not UTF-8: save the file as CSV UTF-8.")]
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    mistakes: list[Mistake] = []
    try:
        # Written otherwise, dbt would not know the column's type, and guess 7 where 007 stands.
        header = next(lines, [])
        if sorted(header) != sorted(seed.types):
            return [], [(1, mistake) for mistake in _header_mistakes(header, list(seed.types))]
        line = lines.line_num + 1
        for row in lines:
            if row and len(row) != len(header):
                mistakes.append((line, f" has {len(row)} cells, {len(header)} are needed."))
            elif row:
                rows.append((line, dict(zip(header, row, strict=True))))
            line = lines.line_num + 1
    except csv.Error as error:
        told = f": {error}. A text with a comma or a quote stands in quotes."
        return [], [*mistakes, (lines.line_num, told)]
    return rows, mistakes


def _header_mistakes(header: list[str], columns: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(header):
        if name not in columns:
            yield f": unknown column `{name}`, the columns are {', '.join(columns)}."
        elif header.count(name) > 1:
            yield f": the column {name} is there twice."
    for name in columns:
        if name not in header:
            yield f": the column {name} is missing."


def _cell_mistakes(cells: list[tuple[int, str]], name: str, seed: Seed) -> Iterator[Mistake]:
    """Find empty cells, those that DuckDB reads as nothing or rounds, and those out of range."""
    if name in seed.filled:
        empty = [line for line, cell in cells if not cell.strip()]
        yield from ((line, f", column {name}: is empty.") for line in empty)
    kind = seed.types[name]
    if kind not in _TYPES:
        return
    given = [(line, cell) for line, cell in cells if cell]
    meaning, cast = _TYPES[kind], f"try_cast(cell as {kind})"
    is_right = f"{cast} is not null" if kind == "boolean" else f"{cast} = try_cast(cell as double)"
    if name in _RANGES:
        low, high = _RANGES[name]
        meaning += f" from {low} to {high}"
        is_right += f" and {cast} between {low} and {high}"
    told = _of_each([cell for _, cell in given], f"coalesce({is_right}, false)")
    for (line, cell), right in zip(given, told, strict=True):
        if not right:
            yield line, f", column {name}: `{cell}` is not {meaning}."


def _of_each(cells: list[str], expression: str) -> list[Any]:
    """Ask DuckDB for an expression of each cell."""
    query = f"select {expression} from (select unnest({literal(cells)}::varchar[]) as cell)"  # noqa: S608
    return [value for (value,) in duckdb.execute(query).fetchall()]


# ---------- rows of a seed together


def _typed(rows: list[Row], types: dict[str, str]) -> list[Row]:
    """Turn cells into the values that the models see."""
    columns = []
    for name, kind in types.items():
        cells = [row[name] for _, row in rows]
        if kind in _TYPES:
            columns.append(_of_each(cells, f"try_cast(nullif(cell, '') as {kind})"))
        else:
            columns.append([cell or None for cell in cells])
    lines = [line for line, _ in rows]
    return [
        (line, dict(zip(types, values, strict=True)))
        for line, *values in zip(lines, *columns, strict=True)
    ]


def _row_mistakes(rows: list[Row], seed: Seed) -> Iterator[Mistake]:
    """Find what the tests of the seed's rows would find after a build."""
    for key in seed.keys:
        for (line, _), (earlier, _) in _repeated(rows, *key):
            yield line, f" has the same {', '.join(key)} as line {earlier}: remove one of them."
    for name, test in _TESTS.items():
        if name in seed.tests:
            yield from test(rows)


def _repeated(rows: list[Row], *key: str) -> Iterator[tuple[Row, Row]]:
    """Find rows with the key of an earlier one, and the first one that has it."""
    first: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        earlier = first.setdefault(tuple(row[1][name] for name in key), row)
        if earlier is not row:
            yield row, earlier


def _differing(rows: list[Row], column: str, *key: str) -> Iterator[Mistake]:
    for (line, row), (earlier, first) in _repeated(rows, *key):
        if row[column] != first[column]:
            yield (
                line,
                f", column {column}: is not that of line {earlier}: write the same on each row of"
                f" one {key[-1]}.",
            )


def _consecutive_steps(rows: list[Row]) -> Iterator[Mistake]:
    steps = [(row["funnel"], row["step"], line) for line, row in rows if not row["is_exclusion"]]
    steps.sort(key=lambda one: (one[0], one[1] is None, one[1]))
    for funnel, group in groupby(steps, key=lambda one: one[0]):
        for following, (_, step, line) in enumerate(group, 1):
            if step != following:
                found = "is empty" if step is None else f"`{step}` stands"
                yield (
                    line,
                    f", column step: {found} where {following} comes next in {funnel}: number its"
                    " steps 1, 2, 3 and so on; only an exclusion has none.",
                )
                break
    stepped = {funnel for funnel, _, _ in steps}
    for line, row in rows:
        if row["funnel"] not in stepped:
            told = f"{row['funnel']} has no step: this exclusion would end nothing."
            yield line, f", column funnel: {told}"


def _one_window_per_funnel(rows: list[Row]) -> Iterator[Mistake]:
    yield from _differing(rows, "window_seconds", "funnel")


def _one_control_per_experiment(rows: list[Row]) -> Iterator[Mistake]:
    controls = [(line, row) for line, row in rows if row["is_control"]]
    for (line, _), (earlier, _) in _repeated(controls, "app_token", "experiment_id"):
        yield (
            line,
            f", column is_control: line {earlier} is the control of this experiment already: write"
            " false on one of them.",
        )


def _one_goal_per_experiment(rows: list[Row]) -> Iterator[Mistake]:
    for column in ("goal_event_type", "goal_event_name", "goal_window_days"):
        filled = [(line, row) for line, row in rows if row[column] is not None]
        yield from _differing(filled, column, "app_token", "experiment_id")


def _all_shares_or_none(rows: list[Row]) -> Iterator[Mistake]:
    shared = {(row["app_token"], row["experiment_id"]) for _, row in rows if row["planned_share"]}
    for line, row in rows:
        if row["planned_share"] is None and (row["app_token"], row["experiment_id"]) in shared:
            yield (
                line,
                ", column planned_share: is empty, another row of the experiment has one: fill it"
                " on each row or on none.",
            )


# By the names of the dbt tests in tests/generic, which say the same of what was built.
_TESTS = {
    "consecutive_steps": _consecutive_steps,
    "one_window_per_funnel": _one_window_per_funnel,
    "one_control_per_experiment": _one_control_per_experiment,
    "all_shares_or_none": _all_shares_or_none,
    "one_goal_per_experiment": _one_goal_per_experiment,
}


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
