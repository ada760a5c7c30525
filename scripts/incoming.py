"""Events on their way in: DuckDB reads what was checked and writes it to Parquet, task by task.

One thread does a task, since then rows come in the order of files and lines and can be counted.
Tasks share nothing, so worker processes can do them.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import duckdb

from scripts.lines import OBJECTS, OPTIONAL_TEXTS
from scripts.sanitise import FileResult, Task, TaskResult, sanitise
from scripts.source import is_as_listed
from scripts.sql import files, literal
from scripts.warehouse import duckdb_settings

SCALARS = ("app_token", "event_type", *OPTIONAL_TEXTS, "inserted_at")
JSON_COLUMNS = (*OBJECTS, "extra")
_TYPES = {
    "_file": "BIGINT",
    "_line": "BIGINT",
    **dict.fromkeys(SCALARS, "VARCHAR"),
    "inserted_at": "TIMESTAMP",
    **dict.fromkeys(JSON_COLUMNS, "JSON"),
}

# A name of an event's key: a fast one, to find candidates among millions.
ID_HASH = "hash(app_token, internal_event_id)"
REST_HASH = "hash(app_token, event_type, event_name, user_id, company_id, inserted_at)"
KEY_HASH = f"if(internal_event_id is null, {REST_HASH}, {ID_HASH})"


def read(task: Task) -> TaskResult:
    """Check the files of a task, and put their events into its Parquet file, if there are any.

    The columns are those of raw.events, so that a row need only be copied, and `key_hash`.
    """
    result = sanitise(task)
    plain = [file for file in result.files if file.plain_path is not None]
    if plain or task.has("events"):
        try:
            result.events = _write_parquet(result, plain) if _as_listed(result) else None
        except duckdb.InvalidInputException:
            # DuckDB stops at an object of several lines, whatever errors it shall ignore.
            if not plain:
                raise
        if result.events is None or not _as_listed(result):
            # A file is not, or no longer, what it was found to be: what is checked must be read.
            return read(replace(task, all_lines=True))
    task.scratch("events").unlink()
    return result


def _as_listed(result: TaskResult) -> bool:
    return all(
        is_as_listed(found.plain_path, file.size, file.modified)
        for file, found in zip(result.task.files, result.files, strict=True)
        if found.plain_path is not None
    )


def _write_parquet(result: TaskResult, plain: Sequence[FileResult]) -> int | None:
    """Return the number of events; None where plain files are not what they were found to be.

    DuckDB makes one row of each line: a row of NULLs where the line is not JSON. Of plain files,
    odd lines are left out.
    """
    lines_before = [0, *accumulate(one.physical_lines for one in plain)]
    odd = [
        before + number
        for before, one in zip(lines_before, plain, strict=False)
        for number in one.odd_lines
    ]
    texts = ", ".join(f"nullif({name}, '') as {name}" for name in OPTIONAL_TEXTS)
    objects = ", ".join(
        f"if(_file notnull and starts_with({name}, '\"'), ({name} ->> '$')::json, {name}) as {name}"
        for name in JSON_COLUMNS
    )
    task = result.task
    paths = [str(one.plain_path) for one in plain]
    if task.has("events"):
        paths.append(str(task.scratch("events")))
    settings = duckdb_settings() | {"threads": 1}
    with contextlib.closing(duckdb.connect(config=settings)) as connection:
        connection.execute(f"""
            set TimeZone = 'UTC';
            set temp_directory = {literal(str(task.folder / f"{task.number}.spill"))};
            create table odd_row as select unnest({literal(odd)}::bigint[]) as row_number;
            copy (
                select * exclude (row_number, file_index, _file, _line), {KEY_HASH} as key_hash
                from (
                    select
                        row_number() over () as row_number,
                        file_index, _file, _line,
                        coalesce(_file, {nth([one.file_id for one in plain])}) as file_id,
                        coalesce(_line, row_number - {nth(lines_before)}) as line_number,
                        app_token, event_type, {texts}, inserted_at, {objects}
                    from {read_ndjson(paths, _TYPES, result.longest)}
                )
                where row_number not in (from odd_row)
            )
            to {literal(str(task.parquet))}
            (format parquet, compression uncompressed, row_group_size 20480)
        """)  # noqa: S608
        found: list[tuple[int, ...]] = connection.execute(f"""
            select
                file_id,
                count(*) filter (app_token <> '' and event_type <> '' and inserted_at notnull),
                count(*),
                min(line_number),
                max(line_number)
            from read_parquet({files([task.parquet])})
            group by file_id
        """).fetchall()  # noqa: S608
    if _is_as_checked(plain, found):
        return sum(events for _, events, *_ in found)
    return None


def _is_as_checked(plain: Sequence[FileResult], found: Sequence[tuple[int, ...]]) -> bool:
    """Whether of plain files exactly those lines were read that are events."""
    by_file = {file_id: numbers for file_id, *numbers in found}
    return all(
        (numbers := by_file.get(one.file_id)) is not None
        and numbers[:2] == [one.event_lines] * 2
        and 1 <= numbers[2] <= numbers[3] <= one.physical_lines
        for one in plain
        if one.event_lines
    )


# ---------- DuckDB reads files


def read_ndjson(paths: Iterable[Path | str], types: dict[str, str], longest: int) -> str:
    """Return the SQL that reads files of which no line has more bytes than `longest`."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
    return (
        f"read_ndjson({files(paths)}, columns = {{{columns}}}, format = 'newline_delimited', "
        f"ignore_errors = true, maximum_object_size = {max(longest + 1, 1 << 20)}, "
        "compression = 'uncompressed')"
    )


def nth(numbers: Sequence[int]) -> str:
    """Return the SQL for the number that belongs to the file of a row."""
    return f"list_extract({literal(numbers)}::bigint[], file_index::bigint + 1)"
