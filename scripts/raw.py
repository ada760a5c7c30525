"""The loader's SQL: put clean lines into the raw tables, and take a file's lines out again.

Lines with the same key are one event: the key is (app_token, internal_event_id) or, without an id,
(app_token, event_type, event_name, user_id, company_id, inserted_at), where NULL equals NULL.
The best of several lines is that of the latest folder date, then of the greatest path, then the
last one. All work is limited to the keys of the new lines.

DuckDB takes a table that was filled in the open transaction for an empty one. So joins here are
done as they are written: the table on the right, the smaller one, is put in memory.

Whoever derives tables from raw.events need only look at what the last loads changed: `changed_in`
is the load that last changed what a row tells, raw.former_events lists the rows taken out.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb

from scripts.errors import UsageProblem
from scripts.incoming import (
    ID_HASH,
    JSON_COLUMNS,
    KEY_HASH,
    REST_HASH,
    SCALARS,
    nth,
    read_ndjson,
)
from scripts.lines import Number
from scripts.sql import files

SCHEMA = Path(__file__).with_name("raw_schema.sql")
RECORD_KINDS = ("all_users", "all_companies", "feature_tags_definitions", "feature_tags_breakdown")

# The other name of an event's key: a long one (no two keys share it), to tell candidates apart.
_SPELLED_OUT = " || ".join(
    f"coalesce(length({name}) || ':' || {name}, '-')"
    for name in ("app_token", "event_type", "event_name", "user_id", "company_id")
)
_KEY = f"""md5_number(if(
    internal_event_id is null,
    '-' || {_SPELLED_OUT} || inserted_at::varchar,
    length(app_token) || ':' || app_token || internal_event_id
))"""
_SCALARS_HASH = f"hash({', '.join(SCALARS)})"
_OBJECTS_HASH = f"hash({', '.join(JSON_COLUMNS)})"
_SAME_OBJECTS = " and ".join(
    f"copy.{name} is not distinct from event.{name}" for name in JSON_COLUMNS
)
_NO_OBJECTS = " and ".join(f"copy.{name} is null" for name in JSON_COLUMNS)
_NULLS = ", ".join(f"null as {name}" for name in JSON_COLUMNS)
_COPY_OBJECTS = ", ".join(f"{name} = copy.{name}" for name in JSON_COLUMNS)
_FORMER = (
    *("event_no", "app_token", "event_type", "event_name", "user_id", "company_id", "session"),
    *("inserted_at", "internal_event_id"),
)

Connection = duckdb.DuckDBPyConnection


def create_tables(connection: Connection) -> None:
    """Create the raw tables that are missing.

    Raises:
        UsageProblem: some that are there have other columns.
    """
    schema = SCHEMA.read_text()
    with duckdb.connect() as empty:
        empty.execute(schema)
        expected = _columns(empty)
    connection.begin()
    connection.execute(schema)
    found = _columns(connection)
    if odd := [table for table, columns in expected.items() if found[table] != columns]:
        connection.rollback()
        raise UsageProblem(
            f"The table raw.{odd[0]} is of another version of this project, or of another program."
            " Take the version that made it, or move the build database away and load again."
        )
    connection.commit()


def _columns(connection: Connection) -> dict[str, list[tuple[str, str]]]:
    """Name and type of each column of the raw tables, in their order."""
    rows = connection.execute("""
        select table_name, list((column_name, data_type) order by column_index)
        from duckdb_columns()
        where schema_name = 'raw' and database_name = current_database()
        group by table_name
    """).fetchall()
    return dict(rows)


def insert(connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, every value bound."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join(["unnest(?)"] * len(columns))
        connection.execute(f"insert into {table} select {marks}", columns)


def next_number(connection: Connection, table: str, column: str) -> int:
    """Return the number that follows those in a surrogate column."""
    return _first_cell(connection, f"select coalesce(max({column}), 0) + 1 from {table}")  # noqa: S608


def begin_load(
    connection: Connection,
    load_id: int,
    loaded_at: datetime,
    coming: Sequence[tuple[int, str, date | None]],
) -> None:
    """Rank the loaded and the coming files (file_id, path, folder_date): the greater the better.

    While both are in, a newer version of a file beats the older.
    """
    connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    connection.execute(
        "create or replace temp table coming (file_id bigint, path varchar, folder_date date)"
    )
    insert(connection, "coming", coming)
    connection.execute(
        """
        create or replace temp table file_order as
        select
            file_id,
            coalesce(folder_date::timestamp, loaded_at) as delivered_at,
            row_number() over (order by folder_date nulls first, path, file_id) as file_rank
        from (
            select *, ?::timestamp as loaded_at from coming
            union all
            select file_id, path, folder_date, loaded_at from raw.files where status = 'loaded'
        )
        """,
        [loaded_at],
    )
    connection.execute(f"""
        create or replace temp macro place(file_rank, line_number) as
            file_rank * (1::bigint << 36) + line_number;
        create or replace temp macro is_future_dated(inserted_at, delivered_at) as
            inserted_at > delivered_at + interval 1 day;
        create or replace temp macro this_load() as {load_id}::bigint;
        create or replace temp view key_of_event as
        select event_no, {ID_HASH} as key_hash from raw.events where internal_event_id is not null
        union all
        select event_no, {REST_HASH} as key_hash from raw.events where internal_event_id is null;
    """)  # noqa: S608


def changed_events(connection: Connection, load_id: int) -> int:
    """Count the events that a load added, changed or took out."""
    return _count(connection, f"raw.events where changed_in = {load_id}") + _count(
        connection, f"raw.former_events where changed_in = {load_id}"
    )


# ---------- lines in


def store_events(connection: Connection, parts: Mapping[Path, int], *, in_batches: bool) -> int:
    """Merge the events of Parquet files (the view `arrived`) into the raw tables.

    Args:
        parts: files of `incoming.read`, with their number of events.
        in_batches: this load has more of them; then keys of stored events are computed once.

    Returns:
        number of events of which no line was known.
    """
    first_no = max(
        next_number(connection, table, "event_no") for table in ("raw.events", "raw.former_events")
    )
    first_nos = list(accumulate(parts.values(), initial=first_no))
    connection.execute(f"""
        create or replace temp view arrived as
        select {nth(first_nos)} + file_row_number as event_no, * exclude (file_row_number)
        from read_parquet({files(parts)}, file_row_number = true)
    """)  # noqa: S608
    _find_known_keys(connection, in_batches=in_batches)
    _store_plain_copies(connection, sum(parts.values()))
    _gather_members(connection)
    _place_repeaters(connection)
    new_events = sum(
        _count(connection, keys)
        for keys in (
            "incoming where key_hash not in (from crowded)",
            "placed where is_event and stored_no is null",
            "(select key from member group by key having bool_and(is_new))",
        )
    )
    _tell_contents_apart(connection)
    _place_members(connection)
    _apply(connection)
    return new_events


def _find_known_keys(connection: Connection, *, in_batches: bool) -> None:
    """Find stored rows with keys of new lines (`matched`), and keys of several lines (`shared`)."""
    keys = "key_of_event"
    if in_batches:
        connection.execute("""
            create temp table if not exists stored_key (event_no bigint, key_hash ubigint);
            insert into stored_key
            from key_of_event
            where event_no > (select coalesce(max(event_no), 0) from stored_key)
        """)
        keys = "stored_key"
    connection.execute(f"""
        create or replace temp table matched as
        from {keys} where key_hash in (select key_hash from arrived)
    """)  # noqa: S608
    connection.execute("""
        create or replace temp table shared as
        select key_hash from arrived group by key_hash having count(*) > 1
    """)


def _store_plain_copies(connection: Connection, lines: int) -> None:
    """Store new lines that say, letter by letter, what a stored row of their key says.

    What it leaves of the `arrived` lines is `incoming`. Keys of several new lines, and those with a
    stored row that says something else than the new line, are `crowded`: their event is to choose.
    """
    said = f"{_SCALARS_HASH} as content, {_OBJECTS_HASH} as objects_hash"
    # For a few it does not pay to read all lines once more.
    may_be_many = _count(connection, "matched") > lines / 10
    connection.execute(f"""
        create or replace temp table compared as
        with
            line as not materialized (
                select event_no, file_id, line_number, key_hash, {said}
                from arrived
                where {may_be_many}
            ),
            stored as not materialized (
                select event_no, file_id, line_number, inserted_at, {KEY_HASH} as key_hash, {said}
                from raw.events
                where event_no in (select event_no from matched)
            )
        select
            key_hash,
            line.event_no as line_no,
            line.file_id,
            line.line_number,
            stored.event_no as stored_no,
            stored.file_id as stored_file_id,
            stored.line_number as stored_line_number,
            place(new.file_rank, line.line_number)
            > place(old.file_rank, stored.line_number) as takes_over,
            is_future_dated(inserted_at, new.delivered_at)
            <> is_future_dated(inserted_at, old.delivered_at) as is_dated_anew
        from stored
        left join line using (key_hash, content, objects_hash)
        left join file_order as new on line.file_id = new.file_id
        inner join file_order as old on stored.file_id = old.file_id
        where key_hash not in (from shared)
    """)  # noqa: S608
    connection.execute("""
        create or replace temp view plain_copy as from compared where line_no notnull
    """)
    connection.execute("""
        update raw.events as event
        set file_id = copy.file_id, line_number = copy.line_number
        from plain_copy as copy
        where event.event_no = copy.stored_no and takes_over
    """)
    connection.execute("""
        update raw.events set changed_in = this_load()
        where
            not is_superseded
            and event_no in (select stored_no from plain_copy where takes_over and is_dated_anew)
    """)
    copies = _first_cell(
        connection,
        f"""
        insert into raw.event_copies
        select
            stored_no as event_no,
            if(takes_over, stored_file_id, file_id) as file_id,
            if(takes_over, stored_line_number, line_number) as line_number,
            {_NULLS}
        from plain_copy
        order by file_id, line_number
        """,  # noqa: S608
    )
    left = "from arrived where event_no not in (select line_no from plain_copy)"
    if copies > lines * 0.9:
        connection.execute(f"create or replace temp table few_left as {left}")
        left = "from few_left"
    connection.execute(f"create or replace temp view incoming as {left}")
    connection.execute("""
        create or replace temp table crowded as
        from shared
        union
        select key_hash from compared where line_no is null
    """)


def _gather_members(connection: Connection) -> None:
    """Collect new events and stored rows of every key that is met more than once."""
    columns = f"""
        event_no, file_id, line_number, delivered_at, place(file_rank, line_number) as place,
        {_KEY} as key, {_SCALARS_HASH} as content, {_OBJECTS_HASH} as objects_hash
    """
    connection.execute(f"""
        create or replace temp table member as
        select true as is_new, false as is_superseded, {columns}
        from incoming inner join file_order using (file_id)
        where key_hash in (from crowded)
        union all
        select false as is_new, is_superseded, {columns}
        from raw.events inner join file_order using (file_id)
        where event_no in (select event_no from matched where key_hash in (from crowded))
    """)  # noqa: S608


def _place_repeaters(connection: Connection) -> None:
    """Place the members of keys whose lines all say the same; leave only the others in `member`."""
    connection.execute("""
        create or replace temp table placed as
        with repeated as (
            select
                key,
                max(place) as best_place,
                max(event_no) filter (not is_new) as stored_no,
                max(delivered_at) filter (not is_new) as stored_delivered_at,
                coalesce(stored_no, arg_max(event_no, place)) as target_no
            from member
            group by key
            having min(content) = max(content) and min(objects_hash) = max(objects_hash)
        )
        select
            member.* exclude (key, content, objects_hash, place),
            place = best_place as is_event,
            place = best_place as is_kept,
            stored_no,
            stored_delivered_at,
            target_no,
            false as has_spellings
        from member left join repeated using (key)
    """)
    connection.execute("""
        create or replace temp table member as
        from member where event_no in (select event_no from placed where target_no is null)
    """)
    connection.execute("delete from placed where target_no is null")


def _tell_contents_apart(connection: Connection) -> None:
    """Give lines that differ only in how their JSON is written the same `content`."""
    objects = ", ".join(JSON_COLUMNS)
    connection.execute("""
        create or replace temp table doubtful as
        select key, content
        from member
        group by key, content
        having min(objects_hash) <> max(objects_hash)
    """)
    connection.execute(f"""
        create or replace temp table spelling as
        with doubtful_member as (from member semi join doubtful using (key, content))
        select key, content, event_no, {objects}
        from incoming inner join doubtful_member using (event_no)
        union all
        select key, content, event_no, {objects}
        from raw.events inner join doubtful_member using (event_no)
    """)  # noqa: S608
    if not _count(connection, "spelling"):
        return
    canonical_hash = ", ".join(f"canonical({name})" for name in JSON_COLUMNS)
    connection.create_function("canonical", canonical, ["VARCHAR"], "VARCHAR")
    try:
        connection.execute(f"""
            update member as m set content = hash(m.content, s.objects)
            from (select event_no, hash({canonical_hash}) as objects from spelling) as s
            where m.event_no = s.event_no
        """)  # noqa: S608
    finally:
        connection.remove_function("canonical")


def _place_members(connection: Connection) -> None:
    """Decide which line of a content is kept and which content of a key is the event."""
    connection.execute("""
        insert into placed by name
        with
            content as (
                select
                    key,
                    content,
                    max(place) as best_place,
                    max(event_no) filter (not is_new) as stored_no,
                    max(delivered_at) filter (not is_new) as stored_delivered_at,
                    coalesce(stored_no, arg_max(event_no, place)) as target_no,
                    min(objects_hash) <> max(objects_hash) as has_spellings
                from member
                group by key, content
            ),
            event as (select key, max(best_place) as best_place from content group by key)
        select
            member.* exclude (key, content, objects_hash, place),
            member.place = event.best_place as is_event,
            member.place = content.best_place as is_kept,
            content.stored_no,
            content.stored_delivered_at,
            content.target_no,
            content.has_spellings
        from member
        inner join content using (key, content)
        inner join event using (key)
    """)


def _apply(connection: Connection) -> None:
    objects = ", ".join(f"if(p.has_spellings, s.{name}, null)" for name in JSON_COLUMNS)
    connection.execute("""
        create or replace temp table respelled as
        select distinct stored_no as event_no from placed where has_spellings and stored_no notnull
    """)
    _respell_copies(connection, in_full=True)
    connection.execute("""
        update raw.events as e
        set
            file_id = p.file_id,
            line_number = p.line_number,
            is_superseded = not p.is_event,
            changed_in = if(
                e.is_superseded = p.is_event
                or p.is_event
                and is_future_dated(e.inserted_at, p.stored_delivered_at)
                <> is_future_dated(e.inserted_at, p.delivered_at),
                this_load(),
                e.changed_in
            )
        from placed as p
        where
            e.event_no = p.stored_no
            and p.is_kept
            and (p.is_new or p.is_superseded = p.is_event)
    """)
    connection.execute(f"""
        update raw.events as event
        set
            {_COPY_OBJECTS},
            changed_in = if(event.is_superseded, event.changed_in, this_load())
        from placed as p inner join spelling as copy using (event_no)
        where p.is_new and p.is_kept and event.event_no = p.stored_no and not ({_SAME_OBJECTS})
    """)  # noqa: S608
    connection.execute(f"""
        insert into raw.event_copies
        select p.target_no, p.file_id, p.line_number, {objects}
        from placed as p left join spelling as s using (event_no)
        where not p.is_kept
        order by p.file_id, p.line_number
    """)  # noqa: S608
    connection.execute("""
        insert into raw.events by name
        select * exclude (key_hash), if(is_superseded, 0, this_load()) as changed_in
        from (
            select
                *, event_no in (select event_no from placed where not is_event) as is_superseded
            from incoming
            where event_no not in (
                select event_no from placed where is_new and (not is_kept or stored_no notnull)
            )
        )
    """)
    connection.execute("""
        insert into respelled select distinct target_no from placed where has_spellings
    """)
    _respell_copies(connection, in_full=False)


def _respell_copies(connection: Connection, *, in_full: bool) -> None:
    """Write down all JSON texts of copies of the `respelled` events, or drop the event's own."""
    if not _count(connection, "respelled"):
        return
    those, text = (_NO_OBJECTS, "event.{}") if in_full else (_SAME_OBJECTS, "null")
    connection.execute(f"""
        update raw.event_copies as copy
        set {", ".join(f"{name} = {text.format(name)}" for name in JSON_COLUMNS)}
        from (from raw.events semi join respelled using (event_no)) as event
        where event.event_no = copy.event_no and {those}
    """)  # noqa: S608


# ---------- the same lines again


def store_twins(connection: Connection, twins: Sequence[tuple[int, int]]) -> int:
    """Add files (file_id, twin_id) that are, byte by byte, loaded ones: each line is a copy.

    Returns:
        number of lines.
    """
    connection.execute("create or replace temp table pair (file_id bigint, twin_id bigint)")
    insert(connection, "pair", twins)
    connection.execute("""
        create or replace temp table twin as
        select
            pair.*,
            new.delivered_at,
            old.delivered_at as twin_delivered_at,
            new.file_rank > old.file_rank
            and new.file_rank = max(new.file_rank) over (partition by twin_id) as takes_over
        from pair
        inner join file_order as new using (file_id)
        inner join file_order as old on twin_id = old.file_id
    """)
    connection.execute("""
        create or replace temp table challenged as
        select distinct event_no
        from raw.event_copies
        where file_id in (select twin_id from twin)
    """)
    lines = _first_cell(
        connection,
        f"""
        insert into raw.event_copies
        select event_no, twin.file_id, line_number, {", ".join(JSON_COLUMNS)}
        from raw.event_copies as copy inner join twin on copy.file_id = twin_id
        order by twin.file_id, line_number
        """,  # noqa: S608
    ) + _first_cell(
        connection,
        f"""
        insert into raw.event_copies
        select event_no, if(takes_over, twin_id, twin.file_id) as file_id, line_number, {_NULLS}
        from raw.events as event inner join twin on event.file_id = twin_id
        order by file_id, line_number
        """,  # noqa: S608
    )
    connection.execute("""
        update raw.events as event
        set
            file_id = twin.file_id,
            changed_in = if(
                not is_superseded
                and is_future_dated(inserted_at, twin_delivered_at)
                <> is_future_dated(inserted_at, delivered_at),
                this_load(),
                changed_in
            )
        from twin
        where event.file_id = twin_id and takes_over
    """)
    _find_heirs(
        connection,
        """
        select event_no, delivered_at, place(file_rank, line_number) as place
        from raw.events
        inner join file_order using (file_id)
        where event_no in (from challenged)
        """,
    )
    connection.execute(f"""
        insert into raw.event_copies
        select event_no, event.file_id, event.line_number, {_NULLS}
        from raw.events as event semi join heir using (event_no)
    """)  # noqa: S608
    _crown_heirs(connection)
    _choose_events_again(connection, f"select {KEY_HASH} from raw.events where is_superseded")  # noqa: S608
    return lines


# ---------- lines out


def remove_files(connection: Connection, file_ids: Sequence[int]) -> int:
    """Take the lines of files out; the best copy elsewhere takes a line's place.

    Returns:
        number of records, lines that are no events, that were taken out.
    """
    connection.execute("create or replace temp table leaving (file_id bigint)")
    insert(connection, "leaving", [(file_id,) for file_id in file_ids])
    removed = {
        table: _first_cell(
            connection,
            f"delete from raw.{table} where file_id in (from leaving)",  # noqa: S608
        )
        for table in ("event_copies", "rejected_lines", *RECORD_KINDS)
    }
    connection.execute(f"""
        create or replace temp table orphan as
        select event_no, {KEY_HASH} as key_hash, delivered_at
        from raw.events inner join file_order using (file_id)
        where file_id in (from leaving)
    """)  # noqa: S608
    _find_heirs(connection, "select event_no, delivered_at, 0 as place from orphan")
    _crown_heirs(connection)
    connection.execute("""
        create or replace temp table gone as from orphan anti join heir using (event_no)
    """)
    # What counted until it was superseded, by this load or an earlier one, may stand in tables yet.
    connection.execute(f"""
        insert into raw.former_events by name
        select {", ".join(_FORMER)}, if(is_superseded, changed_in, this_load()) as changed_in
        from raw.events
        where event_no in (select event_no from gone) and (not is_superseded or changed_in > 0)
    """)  # noqa: S608
    connection.execute("delete from raw.events where event_no in (select event_no from gone)")
    _choose_events_again(connection, "select key_hash from orphan")
    return sum(removed[kind] for kind in RECORD_KINDS)


def _find_heirs(connection: Connection, incumbents: str) -> None:
    """Find for each of some rows (event_no, delivered_at, place) the best copy, if it is better."""
    connection.execute(f"""
        create or replace temp table heir as
        select
            event_no,
            max(incumbent.delivered_at) as was_delivered_at,
            unnest(arg_max(
                {{
                    'file_id': file_id,
                    'line_number': line_number,
                    'delivered_at': file_order.delivered_at
                }},
                place(file_rank, line_number)
            ))
        from raw.event_copies
        inner join ({incumbents}) as incumbent using (event_no)
        inner join file_order using (file_id)
        where place(file_rank, line_number) > incumbent.place
        group by event_no
    """)  # noqa: S608


def _crown_heirs(connection: Connection) -> None:
    """Put each `heir` in the place of the line that its event was read from."""
    connection.execute(f"""
        create or replace temp table respelled as
        select distinct event_no from raw.event_copies as copy
        where event_no in (select event_no from heir) and not ({_NO_OBJECTS})
    """)  # noqa: S608
    _respell_copies(connection, in_full=True)
    connection.execute(f"""
        update raw.events as event
        set
            {_COPY_OBJECTS},
            changed_in = if(event.is_superseded, event.changed_in, this_load())
        from (
            from raw.event_copies semi join heir using (event_no, file_id, line_number)
        ) as copy
        where
            event.event_no = copy.event_no
            and copy.event_no in (from respelled)
            and not ({_SAME_OBJECTS})
    """)  # noqa: S608
    connection.execute("""
        update raw.events as event
        set
            file_id = heir.file_id,
            line_number = heir.line_number,
            changed_in = if(
                not event.is_superseded
                and is_future_dated(event.inserted_at, heir.was_delivered_at)
                <> is_future_dated(event.inserted_at, heir.delivered_at),
                this_load(),
                event.changed_in
            )
        from heir
        where event.event_no = heir.event_no
    """)
    connection.execute("""
        delete from raw.event_copies as copy using heir
        where
            copy.event_no = heir.event_no
            and copy.file_id = heir.file_id
            and copy.line_number = heir.line_number
    """)
    _respell_copies(connection, in_full=False)


def _choose_events_again(connection: Connection, key_hashes: str) -> None:
    """Recompute `is_superseded` for some keys."""
    connection.execute(f"""
        update raw.events as e set is_superseded = not choice.is_event, changed_in = this_load()
        from (
            select
                event_no,
                is_superseded,
                place(file_rank, line_number)
                = max(place(file_rank, line_number)) over (partition by {_KEY}) as is_event
            from raw.events
            inner join file_order using (file_id)
            where {KEY_HASH} in ({key_hashes})
        ) as choice
        where e.event_no = choice.event_no and choice.is_superseded = choice.is_event
    """)  # noqa: S608


# ---------- the ledger


def forget_attempts(connection: Connection, file_ids: Sequence[int]) -> None:
    """Drop ledger rows, with their rejected lines, that newer rows take the place of."""
    for table in ("files", "rejected_lines"):
        connection.execute(
            f"delete from raw.{table} where list_contains(?, file_id)",  # noqa: S608
            [list(file_ids)],
        )


def note_modified(connection: Connection, files: Sequence[tuple[int, int, str]]) -> None:
    """Note the new (file_id, size_bytes, modified) of files whose content is as it was."""
    connection.execute(
        "create or replace temp table touched (file_id bigint, size_bytes bigint, modified varchar)"
    )
    insert(connection, "touched", files)
    connection.execute("""
        update raw.files as f set size_bytes = t.size_bytes, modified = t.modified
        from touched as t where f.file_id = t.file_id
    """)


def mark_replaced(connection: Connection, file_ids: Sequence[int]) -> None:
    """Say that a newer version of these files is loaded."""
    connection.execute(
        "update raw.files set status = 'replaced' where list_contains(?, file_id)",
        [list(file_ids)],
    )


# ---------- other files, rejected lines


def store_records(connection: Connection, paths: Sequence[Path], longest: int) -> int:
    """Put the records of the files that are not events into their tables; return their number."""
    types = {"_file": "BIGINT", "_line": "BIGINT", "_kind": "VARCHAR", "record": "VARCHAR"}
    connection.execute(
        f"create or replace temp table incoming_record as from {read_ndjson(paths, types, longest)}"
    )
    for kind in RECORD_KINDS:
        connection.execute(
            f"insert into raw.{kind} "  # noqa: S608
            "select _file, _line, record from incoming_record where _kind = ?",
            [kind],
        )
    return _count(connection, "incoming_record")


def rejected_reasons(
    connection: Connection, file_ids: Sequence[int]
) -> dict[int, list[tuple[str, int, int]]]:
    """Return (reason, number of lines, first line) of each file that has rejected lines."""
    rows = connection.execute(
        """
        select file_id, list((reason, lines, first_line) order by first_line)
        from (
            select file_id, reason, count(*) as lines, min(line_number) as first_line
            from raw.rejected_lines
            where list_contains(?, file_id)
            group by file_id, reason
        )
        group by file_id
        """,
        [list(file_ids)],
    ).fetchall()
    return dict(rows)


def copy_rejected(connection: Connection, twins: Sequence[tuple[int, str, int]]) -> None:
    """Put the rejected lines of loaded files aside for their twins (file_id, path, twin_id) too."""
    connection.execute(
        "create or replace temp table pair (file_id bigint, path varchar, twin_id bigint)"
    )
    insert(connection, "pair", twins)
    connection.execute("""
        insert into raw.rejected_lines
        select pair.file_id, pair.path, line_number, reason, line, line_bytes
        from raw.rejected_lines as rejected inner join pair on rejected.file_id = twin_id
    """)


def store_rejected(connection: Connection, paths: Sequence[Path], longest: int) -> None:
    """Put rejected lines aside; their files are in raw.files already."""
    types = {
        "_file": "BIGINT",
        "_line": "BIGINT",
        **dict.fromkeys(("reason", "line", "line_bytes"), "VARCHAR"),
    }
    connection.execute(
        f"""
        insert into raw.rejected_lines
        select _file, path, _line, reason, line, from_base64(line_bytes)
        from {read_ndjson(paths, types, longest)}
        inner join raw.files on file_id = _file
        """  # noqa: S608
    )


# ---------- JSON


def canonical(text: str) -> str:
    """Write JSON in one way: keys sorted, no spaces, one form a number."""
    try:
        return _write(_DECODER.decode(text))
    except RecursionError:
        return text


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(key)}:{_write(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return _write_number(value) if isinstance(value, Number) else json.dumps(value)


def _write_number(token: str) -> str:
    try:
        sign, digits, exponent = Decimal(token).as_tuple()
    except InvalidOperation:
        return token
    shortest = "".join(map(str, digits)).rstrip("0")
    if not shortest or not isinstance(exponent, int):
        return "0"
    return f"{'-' * sign}{shortest}e{exponent + len(digits) - len(shortest)}"


def _sorted_members(pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(pairs, key=lambda pair: pair[0]))


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, object_pairs_hook=_sorted_members)


def _count(connection: Connection, table: str) -> int:
    return _first_cell(connection, f"select count(*) from {table}")  # noqa: S608


def _first_cell(connection: Connection, statement: str) -> int:
    # Fetched to the end: DuckDB 2 does nothing else on a connection before.
    ((cell,),) = connection.execute(statement).fetchall()
    return int(cell)
