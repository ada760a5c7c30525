"""The loader's promises, with expected rows typed by hand or from the small recount below."""

import gzip
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
import zstandard
from building import ROOT
from click.testing import CliRunner
from test_lines import USUAL, mutations

from scripts import incoming, sanitise
from scripts import load as loader
from scripts.errors import UsageProblem
from scripts.lines import classify
from scripts.load import LoadSummary, OverBudgetError, command, load
from scripts.warehouse import Warehouse

SYNC = "userpilot_datasync_13214_NX-1_b"
AT = "2025-05-11T07:45:30.123456Z"


def event(**changes: Any) -> str:
    return json.dumps({"app_token": "NX-1", "event_type": "track", "inserted_at": AT, **changes})


class Place:
    """An export folder and a warehouse beside it."""

    def __init__(self, folder: Path) -> None:
        self.export = folder / "export"
        self.export.mkdir()
        self.warehouse = Warehouse(folder / "warehouse")
        self.clock = 0

    def write(self, path: str, *lines: str | bytes) -> Path:
        return self.write_bytes(
            path,
            b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines),
        )

    def write_bytes(self, path: str, content: bytes) -> Path:
        file = self.export / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.clock += 1  # a coarse clock must not hide a change
        os.utime(file, ns=(self.clock, self.clock))
        return file

    def load(self, **options: Any) -> LoadSummary:
        with self.warehouse.writing():
            return load(str(self.export), self.warehouse, **{"error_budget": 1.0, **options})

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse.build_database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def events(self, columns: str) -> list[tuple[Any, ...]]:
        return self.query(
            f"select {columns} from raw.events as e join raw.files as f using (file_id)"  # noqa: S608
            " order by f.path, e.line_number"
        )

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """All raw tables without surrogate numbers and clock times."""
        queries = {
            "events": """select f.path, e.line_number, e.is_superseded, e.metadata::varchar,
                    f.modified, e.* exclude (event_no, file_id, changed_in)
                from raw.events as e left join raw.files as f using (file_id)""",
            "copies": """select f.path, c.line_number, g.path, e.line_number,
                    c.metadata, c.attributes, c.extra
                from raw.event_copies as c
                left join raw.events as e using (event_no)
                left join raw.files as f on f.file_id = c.file_id
                left join raw.files as g on g.file_id = e.file_id""",
            "files": """select * exclude (file_id, load_id, loaded_at)
                from raw.files where status <> 'replaced'""",
            "rejected": "select * exclude (file_id) from raw.rejected_lines",
            **{
                kind: f"select path, r.* exclude (file_id) from raw.{kind} as r"  # noqa: S608
                " join raw.files using (file_id)"
                for kind in ("all_users", "all_companies", "feature_tags_definitions")
            },
        }
        with duckdb.connect(str(self.warehouse.build_database), read_only=True) as connection:
            return {
                name: sorted(connection.execute(sql).fetchall(), key=repr)
                for name, sql in queries.items()
            }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Place:
    (tmp_path / "other").mkdir()
    return Place(tmp_path / "other")


# ---------- lines


def test_each_kind_of_bad_line_is_kept_with_its_place_and_reason(place: Place) -> None:
    lines: list[str | bytes] = [
        event(user_id="1"),
        b'{"app_token":"\xff\x00"}',
        "",
        '{"a":NaN}',
        "[1]",
        event(app_token=""),
        " \t",
        event(event_type=None),
        event(inserted_at="2025-02-29T00:00:00Z"),
        event(user_id="2"),
    ]
    place.write(f"{SYNC}/2025-05-12/e.json", *lines)
    summary = place.load()
    path = f"{SYNC}/2025-05-12/e.json"
    rejected = place.query("from raw.rejected_lines order by line_number")
    assert rejected == [
        (1, path, 2, "invalid_utf8", '{"app_token":"\ufffd\0"}', b'{"app_token":"\xff\x00"}'),
        (1, path, 4, "not_json", '{"a":NaN}', None),
        (1, path, 5, "not_object", "[1]", None),
        (1, path, 6, "no_app_token", lines[5], None),
        (1, path, 8, "no_event_type", lines[7], None),
        (1, path, 9, "bad_inserted_at", lines[8], None),
    ]
    assert place.events("line_number, user_id") == [(1, "1"), (10, "2")]
    assert place.query("""
        select path, kind, sync_id, app_token, folder_date::varchar, status,
            physical_lines, blank_lines, rejected_lines, event_lines
        from raw.files
    """) == [(path, "events", "13214", "NX-1_b", "2025-05-12", "loaded", 10, 2, 6, 2)]
    assert place.query("""
        select load_id, status, file_count, line_count, event_line_count, rejected_line_count, error
        from raw.loads
    """) == [(1, "succeeded", 1, 10, 2, 6, None)]
    assert (summary.physical_lines, summary.new_events, summary.copies) == (10, 2, 0)
    assert summary.rejected == {reason: 1 for _, _, _, reason, *_ in rejected}


def test_only_a_line_feed_ends_a_line(place: Place) -> None:
    def text(user: str) -> bytes:
        return event(user_id=user).encode()

    odd = json.dumps(
        {**json.loads(event()), "user_id": "a\u2028b\u2029c\u0085d"}, ensure_ascii=False
    )
    content = b"".join(
        [
            b"\xef\xbb\xbf" + text("bom") + b"\r\n",
            b"\r\n",
            odd.encode() + b"\n",
            text("lone cr").replace(b", ", b",\r") + b"\n",
            text("two") + b"\r" + text("on a line") + b"\n",
            b"\xef\xbb\xbf" + text("no bom here") + b"\n",
            b"[]\r\r\n",
            text("last"),
        ]
    )
    place.write_bytes("a.ndjson", content)
    place.load()
    assert place.events("line_number, user_id") == [
        (1, "bom"),
        (3, "a\u2028b\u2029c\u0085d"),
        (4, "lone cr"),
        (8, "last"),
    ]
    assert place.query("select line_number, reason, line from raw.rejected_lines order by all")[
        -1
    ] == (7, "not_object", "[]\r")
    assert place.query("select line_number, reason from raw.rejected_lines order by all") == [
        (5, "not_json"),
        (6, "not_json"),
        (7, "not_object"),
    ]
    assert place.query(
        "select physical_lines, blank_lines, rejected_lines, event_lines from raw.files"
    ) == [(8, 1, 3, 4)]


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"\n", 1), (b"\n\n ", 3), (b"\xef\xbb\xbf", 0), (b"\xef\xbb\xbf\n", 1)],
)
def test_files_without_events_load(place: Place, content: bytes, lines: int) -> None:
    place.write_bytes("a.json", content)
    place.load()
    assert place.query("select status, physical_lines, blank_lines from raw.files") == [
        ("loaded", lines, lines)
    ]


def test_long_lines_are_loaded_and_rejected_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sanitise, "BLOCK_BYTES", 100_000)
    long = "ü" * 11_000_000  # 22 MB
    place.write("a.jsonl", event(metadata={"text": long}), '"' + long, event(user_id="after"))
    place.load()
    assert place.events("line_number, length(metadata->>'text'), user_id") == [
        (1, 11_000_000, None),
        (3, None, "after"),
    ]
    assert place.query("select line_number, length(line) from raw.rejected_lines") == [
        (2, 11_000_001)
    ]


def test_a_file_without_line_ends_does_not_fill_the_memory(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sanitise, "MAX_LINE_BYTES", 3 << 20)
    place.write_bytes("a.json", b"x" * (5 << 20))
    summary = place.load()
    assert summary.files == {"failed": 1}
    assert "longer than 3 MB" in place.query("select error from raw.files")[0][0]


def test_values_keep_their_written_form(place: Place) -> None:
    ids = [
        '"007"',
        "9007199254740993",
        "1.50",
        "true",
        '"null"',
        '"😀"',
        "null",
        '""',
        "[1]",
        '" x"',
    ]
    place.write(
        "a.json", *(event()[:-1] + f', "user_id": {one}, "session": {one}}}' for one in ids)
    )
    place.load()
    kept = ["007", "9007199254740993", "1.50", "true", "null", "😀", None, None, None, " x"]
    distinct = {text: number for number, text in enumerate(kept, 1)}  # the last of equal lines
    assert place.events("line_number, user_id, session") == sorted(
        (number, text, text) for text, number in distinct.items()
    )


def test_instants_are_stored_as_utc(place: Place) -> None:
    written = [
        "2025-05-11T07:45:30-03:30",
        "2025-05-11T07:45:30+0530",
        "2025-05-11 07:45:30.1234569",
        "2024-02-29T23:59:59.9Z",
        "2025-01-01T00:30:00+14:00",
        "2025-05-11T07:45:30.5+00:00",
    ]
    place.write("a.json", *(event(inserted_at=one) for one in written))
    place.load()
    assert place.events("inserted_at::varchar") == [
        ("2025-05-11 11:15:30",),
        ("2025-05-11 02:15:30",),
        ("2025-05-11 07:45:30.123456",),
        ("2024-02-29 23:59:59.9",),
        ("2024-12-31 10:30:00",),
        ("2025-05-11 07:45:30.5",),
    ]


def test_metadata_attributes_and_unknown_keys(place: Place) -> None:
    place.write(
        "a.json",
        event(user_id="1", metadata={"b": 1, "a": {"x": []}}, attributes=None, new=[1], other="x"),
        event(user_id="2", metadata='{\n"a": "b"}', attributes={}),
        event(user_id="3", metadata="", attributes=[1, 2]),
        event(user_id="4", metadata="text"),
    )
    place.load()
    assert place.events("metadata::varchar, attributes::varchar, extra::varchar") == [
        ('{"b":1,"a":{"x":[]}}', None, '{"new":[1],"other":"x"}'),
        ('{"a":"b"}', "{}", None),
        (None, "[1,2]", None),
        ('"text"', None, None),
    ]


HOSTILE = [
    *(
        "'; drop table raw.events; --",
        "{{ var('x') }}",
        "{% raw %}",
        "$(touch x)",
        "`id`",
        "\\",
        "\0",
    ),
    *('"', "%s", "?", "*", "a\nb", "a\r\nb", "../../x", "NULL", "\ufeff", "\u202e", "x" * 300),
]


def test_hostile_ids_are_only_text(place: Place) -> None:
    place.write("a.json", *(event(user_id=text, app_token=text) for text in HOSTILE))
    place.load()
    assert place.events("user_id") == [(text,) for text in HOSTILE]
    assert place.events("e.app_token") == [(text,) for text in HOSTILE]


def test_duplicate_keys_do_not_stop_a_load(place: Place) -> None:
    place.write("a.json", event(user_id="1"), event()[:-1] + ',"user_id":"2","user_id":"3"}')
    place.write("b.json", event(metadata={"a": 1.5}), "{}")
    place.load()
    assert place.events("path, line_number, user_id") == [
        ("a.json", 1, "1"),
        ("a.json", 2, "2"),
        ("b.json", 1, None),
    ]


def test_the_fast_way_and_the_careful_way_load_the_same(
    place: Place, other: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that DuckDB reads in place give what their lines give one by one."""
    lines = [text for text in mutations(4000) if b"\n" not in text]
    numbered = [text.replace(b"u-1", b"u-%d" % number) for number, text in enumerate(lines)]
    for one in (place, other):
        for start in range(0, len(numbered), 10):
            one.write(f"{start:04}.json", USUAL, *numbered[start : start + 10], USUAL)
    monkeypatch.setattr(loader, "TASK_BYTES", 1)
    write_parquet, trusted = incoming._write_parquet, []

    def watched(result: Any, plain: Any) -> Any:
        events = write_parquet(result, plain)
        trusted.extend(plain if events is not None else [])
        return events

    monkeypatch.setattr(incoming, "_write_parquet", watched)
    place.load()
    assert len(trusted) > 300  # the test must not pass for want of cases
    trusted.clear()
    monkeypatch.setattr(sanitise, "is_plain", lambda line: False)
    monkeypatch.setattr("scripts.source.LocalSource.local_path", lambda self, key: None)
    other.load()
    assert trusted == []
    assert place.state() == other.state()
    assert len(place.events("path")) > 300


def test_numbers_in_objects_keep_their_written_form(place: Place) -> None:
    """However they come: in a plain file, in a compressed one, in an unknown key, in a record."""
    numbers = "[1.5,0.1,1.50,-0.0,1e400,2E-7,0.1000000000000000055,12345678901234567890123]"
    members = f'"metadata":{{"a":{numbers}}},"attributes":{{"b":{numbers}}},"new":{numbers}'
    line = event(user_id="1")[:-1] + "," + members + "}"
    place.write("a.json", line)
    place.write_bytes("b.json.gz", gzip.compress(line.replace('"1"', '"2"').encode()))
    place.write("all_users.json", f'{{"a":{numbers}}}')
    place.load()
    kept = (f'{{"a":{numbers}}}', f'{{"b":{numbers}}}', f'{{"new":{numbers}}}')
    assert place.events("metadata::varchar, attributes::varchar, extra::varchar") == [kept] * 2
    assert place.query("select record::varchar from raw.all_users") == [kept[:1]]


@pytest.mark.parametrize("odd", ["[", '{"a":[', "NaN", "", "\v", "\x00", "x", '{"app_token":"a"}'])
def test_the_line_after_an_odd_one_is_read(place: Place, odd: str) -> None:
    """DuckDB makes nothing of some lines that follow one it cannot read, without a word."""
    users = ["1", "2", "3"]
    place.write("a.json", *(text for user in users for text in (event(user_id=user), odd)))
    place.load()
    assert place.events("line_number, user_id") == [(1, "1"), (3, "2"), (5, "3")]


def test_an_object_over_several_lines_costs_only_its_lines(place: Place) -> None:
    """At such an object DuckDB stops with an error, though it shall ignore errors."""
    place.write("a.json", event(user_id="1"), "{", '"app_token": "a"', "}", event(user_id="2"))
    place.load()
    assert place.events("line_number, user_id") == [(1, "1"), (5, "2")]
    assert place.query("select line_number, reason from raw.rejected_lines order by all") == [
        (2, "not_json"),
        (3, "not_json"),
        (4, "not_json"),
    ]


def test_of_a_key_that_is_there_twice_the_first_counts_and_the_rest_is_read(place: Place) -> None:
    place.write(
        "a.json",
        event(user_id="1").replace("{", '{"user_id":"0",', 1)[:-1] + ',"session":"7"}',
        event(user_id="late").replace("{", '{"inserted_at":"2024-01-01T00:00:00+05:00",', 1),
        event(user_id="bad").replace("{", '{"inserted_at":"x",', 1),
    )
    place.load()
    assert place.events("user_id, session, inserted_at::varchar") == [
        ("0", "7", "2025-05-11 07:45:30.123456"),
        ("late", None, "2023-12-31 19:00:00"),
    ]


def rewrite(path: Path) -> None:
    """In as many lines as before."""
    path.write_text("\n".join(event(user_id=f"new{number}") for number in range(5)))


def rewrite_unseen(path: Path) -> None:
    """In the same number of bytes, with the same dates."""
    before = path.stat()
    path.write_text((event(user_id="new") + "\n" + event(user_id="newer")).ljust(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("moment", "change", "rows"),
    [
        ("scripts.incoming.sanitise", rewrite, [(n + 1, f"new{n}") for n in range(5)]),
        ("scripts.incoming.sanitise", Path.unlink, []),
        ("scripts.incoming._write_parquet", rewrite, [(n + 1, f"new{n}") for n in range(5)]),
        ("scripts.incoming._write_parquet", rewrite_unseen, [(1, "new"), (2, "newer")]),
    ],
)
def test_a_file_that_changes_after_it_was_checked_is_read_anew(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    change: Callable[[Path], None],
    rows: list[tuple[int, str]],
) -> None:
    for name in "abc":
        place.write(f"{name}.json", *(event(user_id=f"{name}{number}") for number in range(5)))
    module, name = moment.rsplit(".", 1)
    do, todo = getattr(sys.modules[module], name), [change]

    def changed(*arguments: Any) -> Any:
        found = None if "write" in name else do(*arguments)
        if todo:
            todo.pop()(place.export / "b.json")
        return found or do(*arguments)

    monkeypatch.setattr(moment, changed)
    summary = place.load()
    kept = [(f"{name}.json", n + 1, f"{name}{n}") for name in "ac" for n in range(5)]
    assert place.events("path, line_number, user_id") == sorted(
        [*kept, *(("b.json", *row) for row in rows)]
    )
    assert summary.files == ({"loaded": 3} if rows else {"failed": 1, "loaded": 2})
    assert summary.new_events == 10 + len(rows)
    content = (place.export / "b.json").read_bytes() if rows else None
    assert place.query("select event_lines, fingerprint from raw.files where path = 'b.json'") == [
        (len(rows), content and hashlib.sha256(content).hexdigest())
    ]
    monkeypatch.undo()
    place.write("b.json", event(user_id="mended"))
    place.load()
    assert place.events("user_id")[5] == ("mended",)
    assert len(place.events("user_id")) == 11


# ---------- files


def test_compressed_files_with_several_parts(place: Place) -> None:
    one, two = (event(user_id=user).encode() + b"\n" for user in "12")
    place.write_bytes("a.json.gz", gzip.compress(one) + gzip.compress(two) + b"\0" * 512)
    compress = zstandard.ZstdCompressor().compress
    place.write_bytes("b.ndjson.zst", compress(one[:30]) + compress(one[30:] + two[:-1]))
    place.write_bytes("C.JSONL.GZ", gzip.compress(one + two))
    place.write_bytes("d.json.gz", gzip.compress(b""))
    place.load()
    assert place.query(
        "select path, status, physical_lines, event_lines from raw.files order by path"
    ) == [
        ("C.JSONL.GZ", "loaded", 2, 2),
        ("a.json.gz", "loaded", 2, 2),
        ("b.ndjson.zst", "loaded", 2, 2),
        ("d.json.gz", "loaded", 0, 0),
    ]
    assert place.events("path, line_number, user_id") == [
        ("b.ndjson.zst", 1, "1"),
        ("b.ndjson.zst", 2, "2"),
    ]


def broken_files() -> dict[str, bytes]:
    lines = "".join(event(user_id=str(number)) + "\n" for number in range(5000)).encode()
    packed = gzip.compress(lines)
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    frame = zstandard.ZstdCompressor().compress(lines)
    return {
        "cut.json.gz": packed[:-100],
        "cut in trailer.json.gz": packed[:-3],
        "fake.json.gz": lines,
        "flipped.json.gz": bytes(flipped),
        "rubbish after.json.gz": packed + b"rubbish",
        "cut.json.zst": frame[: len(frame) // 2],
        "fake.json.zst": lines,
    }


@pytest.mark.parametrize("name", broken_files())
def test_a_broken_file_is_one_entry_and_the_others_load(place: Place, name: str) -> None:
    place.write("a.json", event(user_id="a"))
    place.write_bytes(name, broken_files()[name])
    place.write("z.json", event(user_id="z"))
    summary = place.load()
    assert summary.files == {"failed": 1, "loaded": 2}
    assert name in summary.warnings[0]
    assert place.events("path, user_id") == [("a.json", "a"), ("z.json", "z")]
    assert place.query(f"""
        select status, physical_lines, blank_lines, rejected_lines, event_lines, error is not null
        from raw.files where path = '{name}'
    """) == [("failed", 0, 0, 0, 0, True)]  # noqa: S608
    place.load()  # the same failure again is no news
    assert place.query("select count(*) from raw.loads") == [(1,)]
    assert place.query("select count(*) from raw.files") == [(3,)]


def test_a_mended_file_loads_and_its_failure_is_forgotten(place: Place) -> None:
    place.write_bytes("a.json.gz", b"rubbish")
    place.load()
    place.write_bytes("a.json.gz", gzip.compress(event(user_id="a").encode()))
    place.load()
    assert place.query("select status, error from raw.files") == [("loaded", None)]
    assert place.events("user_id") == [("a",)]


def test_a_broken_new_version_leaves_the_old_one(place: Place) -> None:
    packed = gzip.compress(event(user_id="a").encode() + b"\n[]")
    place.write_bytes("a.json.gz", packed)
    place.load()
    before = place.state()
    place.write_bytes("a.json.gz", packed[:-5])
    place.load()
    assert place.events("user_id") == [("a",)]
    assert place.query("select status from raw.files order by file_id") == [
        ("loaded",),
        ("failed",),
    ]
    place.clock = 0
    place.write_bytes("a.json.gz", packed)
    place.load()
    assert place.state() == before


def test_hidden_and_unknown_files_are_listed_not_loaded(place: Place) -> None:
    for path in ("a.csv", "b.json.bz2", ".c.json", ".d/e.json", "f/.g/h/i.json", "j", "k.json.tmp"):
        place.write(path, event(user_id=path))
    place.write("ok.JSON", event(user_id="ok"))
    assert place.load().files == {"loaded": 1, "skipped": 7}
    assert place.query("""
        select path, status, kind, error, physical_lines from raw.files
        where status <> 'loaded' order by path
    """) == [
        (".c.json", "skipped", "other", "hidden file or folder", 0),
        (".d/e.json", "skipped", "other", "hidden file or folder", 0),
        ("a.csv", "skipped", "other", "unknown extension", 0),
        ("b.json.bz2", "skipped", "other", "unknown extension", 0),
        ("f/.g/h/i.json", "skipped", "other", "hidden file or folder", 0),
        ("j", "skipped", "other", "unknown extension", 0),
        ("k.json.tmp", "skipped", "other", "unknown extension", 0),
    ]
    assert place.load().status == "nothing_new"
    assert place.events("user_id") == [("ok",)]


def test_snapshots_and_definitions_have_tables_of_their_own(place: Place) -> None:
    folder = f"{SYNC}/2025-05-12"
    place.write(f"{folder}/all_users.json", '{"user_id":"1"}', "", "[]", "{", '{"a":\r1}')
    place.write(f"{folder}/all_companies_2.jsonl", '{"company_id":1.0}')
    place.write(f"{folder}/feature_tags_definitions.ndjson", '{"id":"7","name":"Save"}')
    place.write(f"{folder}/feature_tags_breakdown-x.json", "{}")
    place.write(f"{folder}/all_users_are_here/all_usersx.json", event(user_id="event"))
    summary = place.load()
    assert place.query("select line_number, record::varchar from raw.all_users order by all") == [
        (1, '{"user_id":"1"}'),
        (5, '{"a":1}'),
    ]
    assert place.query("select record::varchar from raw.all_companies") == [('{"company_id":1.0}',)]
    assert place.query("select record->>'name' from raw.feature_tags_definitions") == [("Save",)]
    assert place.query("select record::varchar from raw.feature_tags_breakdown") == [("{}",)]
    assert place.events("user_id") == [("event",)]
    assert place.query(
        "select kind, blank_lines, rejected_lines, event_lines from raw.files"
        " where path like '%all_users.json'"
    ) == [("all_users", 1, 2, 2)]
    assert (summary.record_lines, summary.event_lines) == (5, 1)
    place.write(f"{folder}/all_users.json", '{"user_id":"2"}')
    place.load()
    assert place.query("select record->>'user_id' from raw.all_users") == [("2",)]


def test_folder_date_and_token_come_from_the_nearest_folder(place: Place) -> None:
    for path in (
        "p/userpilot_datasync_13_NX-1/2025-05-10/a.json",
        "userpilot_datasync_1_A/userpilot_datasync_x y_B_C-D/2025-05-11/2025-02-30/b.json",
        "userpilot_datasync_nope/2025-05-1/c.json",
        "2025-05-10.json",
    ):
        place.write(path, event())
    place.load()
    assert place.query(
        "select sync_id, app_token, folder_date::varchar from raw.files order by path"
    ) == [
        (None, None, None),
        ("13", "NX-1", "2025-05-10"),
        ("x y", "B_C-D", "2025-05-11"),
        (None, None, None),
    ]


NAMES = [
    "it's.json",
    "a*b?.json",
    "[x].json",
    "new\nline.json",
    'q"uote;--.json',
    "{{ x }}.json",
    "ü.json",
    " .json",
]


def test_hostile_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a]*"
    folder.mkdir()
    place = Place(folder)
    trap = tmp_path / "it's a" / "warehouse" / ".incoming"  # what the folder's name would match
    trap.mkdir(parents=True)
    (trap / "0.events.ndjson").write_text(event(user_id="trap"))
    for name in NAMES:
        place.write(name, event(user_id=name), "[]")
    (place.export / os.fsdecode(b"bytes\xff.json")).write_text(event(user_id="bytes"))
    place.load()
    assert place.events("path, user_id") == sorted(
        [*((name, name) for name in NAMES), ("bytes\\xff.json", "bytes")]
    )
    assert place.load().status == "nothing_new"


def test_links_pipes_and_the_warehouse_itself(place: Place, tmp_path: Path) -> None:
    place.write("a/b/e.json", event(user_id="inside"))
    (place.export / "a/b/loop").symlink_to(place.export)
    (place.export / "0").symlink_to(place.export / "a")
    (place.export / "self").symlink_to(place.export / "self")
    (place.export / "gone.json").symlink_to(place.export / "nowhere")
    os.mkfifo(place.export / "pipe.json")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.json").write_text(event(user_id="outside"))
    (place.export / "linked").symlink_to(outside)
    place.warehouse = Warehouse(place.export / "warehouse")
    place.warehouse.folder.mkdir()
    (place.warehouse.folder / "w.json").write_text(event(user_id="not an export"))
    place.load()
    assert place.events("path, user_id") == [("a/b/e.json", "inside"), ("linked/o.json", "outside")]
    assert place.query("select path, error from raw.files where status = 'skipped' order by 1") == [
        ("gone.json", "a link that leads nowhere"),
        ("pipe.json", "not a regular file"),
        ("self", "Too many levels of symbolic links"),
    ]
    assert place.load().status == "nothing_new"


def test_a_url_that_fsspec_knows(place: Place) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(f"/bucket/{SYNC}/2025-05-12/a.json", event(user_id="remote").encode())
    try:
        with place.warehouse.writing():
            assert load("memory://bucket", place.warehouse).new_events == 1
            assert load("filecache::memory://bucket", place.warehouse).status == "nothing_new"
        assert place.events("path, user_id") == [(f"{SYNC}/2025-05-12/a.json", "remote")]
    finally:
        memory.rm("/bucket", recursive=True)


# ---------- what is the same event


def test_the_best_copy_is_of_the_latest_folder_then_path_then_line(place: Place) -> None:
    for path in ("none.json", "2025-05-10/z.json", "2025-05-11/a.json", "2025-05-11/é.json"):
        place.write(path, event(internal_event_id="x"), event(internal_event_id="x"))
    assert place.load().copies == 7
    assert place.events("path, line_number, is_superseded") == [("2025-05-11/é.json", 2, False)]
    assert place.query("select count(*), count(metadata) from raw.event_copies") == [(7, 0)]


def test_a_known_line_may_come_twice(place: Place) -> None:
    line = event(internal_event_id="x")
    place.write("1.json", line)
    place.load()
    place.write("2.json", line, "", line)
    assert place.load().copies == 2
    assert place.events("path, line_number") == [("2.json", 3)]
    assert {row[:2] for row in place.state()["copies"]} == {("1.json", 1), ("2.json", 1)}


def test_copies_that_differ_are_kept_as_superseded(place: Place) -> None:
    place.write("2025-05-10/a.json", event(internal_event_id="x", user_id="old"))
    place.write("2025-05-09/a.json", event(internal_event_id="x", user_id="oldest"))
    place.load()
    place.write("2025-05-11/a.json", event(internal_event_id="x", user_id="new"))
    place.write("2025-05-08/a.json", event(internal_event_id="x", user_id="old"))
    place.load()
    assert place.events("path, user_id, is_superseded") == [
        ("2025-05-09/a.json", "oldest", True),
        ("2025-05-10/a.json", "old", True),
        ("2025-05-11/a.json", "new", False),
    ]


def test_an_event_with_an_id_never_matches_one_without(place: Place) -> None:
    place.write(
        "a.json", event(internal_event_id="x"), event(), event(), event(internal_event_id="")
    )
    place.load()
    assert place.events("line_number, internal_event_id") == [(1, "x"), (4, None)]


def test_null_equals_null_and_each_field_of_the_key_counts(place: Place) -> None:
    names = ("event_name", "user_id", "company_id")
    lines = [
        event(**dict(zip(names, values, strict=True)))
        for values in itertools.product((None, "x"), repeat=3)
    ]
    others = [
        event(event_type="page_view"),
        event(**{"app_token": "NX-2"}),
        event(inserted_at="2025-05-11T07:45:30.123457Z"),
        event(user_id="-"),
        event(event_name="a", user_id="b-"),
        event(event_name="ab"),
        event(internal_event_id="5:track---2025-05-11 07:45:30.123456"),
    ]
    place.write("a.json", *lines, *others)
    place.write("b.json", *lines, *others)
    assert place.load().new_events == 8 + 7
    assert {path for (path,) in place.events("path")} == {"b.json"}


def test_the_same_instant_written_in_two_ways_is_one_event(place: Place) -> None:
    place.write("a.json", event(inserted_at="2025-05-11T07:00:00Z"))
    place.write("b.json", event(inserted_at="2025-05-11 12:30:00.000+0530"))
    assert place.load().new_events == 1


def test_the_order_of_keys_is_no_content(place: Place) -> None:
    place.write("1.json", event(metadata={"a": 1, "b": {"c": 2, "d": 3}}))
    place.write("2.json", event(metadata={"b": {"d": 3.0, "c": 2}, "a": 1}))
    place.load()
    place.write("3.json", event(metadata={"b": {"c": 2, "d": 3}, "a": 1}))
    place.load()
    assert place.events("path, metadata::varchar") == [("3.json", '{"b":{"c":2,"d":3},"a":1}')]
    place.write("4.json", event(metadata={"a": 1, "b": {"c": 2, "d": 4}}))
    place.load()
    assert place.events("path, is_superseded") == [("3.json", True), ("4.json", False)]


def test_copies_remember_how_they_were_written(place: Place) -> None:
    """So that any of them can take the event's place when a better one leaves."""
    one, two = (event(metadata=value) for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    spelled = {one: '{"a":1,"b":2}', two: '{"b":2,"a":1}', "": None}

    def check(winner: tuple[str, str], *copies: tuple[str, str]) -> None:
        assert place.events("path, metadata::varchar") == [(winner[0], spelled[winner[1]])]
        found = {(row[0], row[4]) for row in place.state()["copies"]}
        assert found == {(path, spelled[text]) for path, text in copies}

    for path in ("1.json", "2.json"):
        place.write(path, one)
    place.load()
    check(("2.json", one), ("1.json", ""))
    place.write("3.json", two)
    place.write("0.json", two)
    place.load()
    check(("3.json", two), ("0.json", ""), ("1.json", one), ("2.json", one))
    place.write("3.json", "")
    place.load()
    check(("2.json", one), ("0.json", two), ("1.json", ""))
    place.write("2.json", two)
    place.load()
    check(("2.json", two), ("0.json", ""), ("1.json", one))


def test_a_re_export_changes_nothing_but_the_copy_that_counts(place: Place) -> None:
    lines = [event(internal_event_id=str(number)) for number in range(3000)]
    place.write("2025-05-10/a.json", *lines)
    place.load()
    before = place.query("select event_no, internal_event_id from raw.events order by all")
    for day in (11, 12, 13):
        place.write(f"2025-05-{day}/a.json", *lines)
        summary = place.load()
        assert (summary.new_events, summary.copies) == (0, 3000)
    assert place.query("select event_no, internal_event_id from raw.events order by all") == before
    assert place.query("select distinct path from raw.events join raw.files using (file_id)") == [
        ("2025-05-13/a.json",)
    ]
    assert place.query("select count(*) from raw.event_copies") == [(9000,)]


def test_a_file_with_the_bytes_of_a_loaded_one_is_not_parsed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [event(internal_event_id="x"), "", "[]", "1", event(), event(internal_event_id="x")]
    place.write("2025-05-12/a.json", *lines)
    first = place.load()
    monkeypatch.setattr(incoming, "_write_parquet", None)
    for path in ("2025-05-11/b.json", "2025-05-13/c.json"):
        place.write(path, *lines)
    again = place.load()
    assert (again.new_events, again.copies, again.blank_lines) == (0, 6, 2)
    assert again.rejected == {reason: 2 * n for reason, n in first.rejected.items()} != {}
    assert place.events("path, line_number") == [("2025-05-13/c.json", 5), ("2025-05-13/c.json", 6)]
    assert place.query("""
        select path, list(line_number order by line_number)
        from raw.event_copies join raw.files using (file_id)
        group by path order by path
    """) == [
        ("2025-05-11/b.json", [1, 5, 6]),
        ("2025-05-12/a.json", [1, 5, 6]),
        ("2025-05-13/c.json", [1]),
    ]
    assert place.query("from raw.rejected_lines select path, line_number, reason order by all") == [
        (path, number, "not_object")
        for path in ("2025-05-11/b.json", "2025-05-12/a.json", "2025-05-13/c.json")
        for number in (3, 4)
    ]
    assert place.query("select list(changed_events order by load_id) from raw.loads") == [([2, 0],)]
    place.write("2025-05-10/d.json", *lines)
    with pytest.raises(OverBudgetError, match=r"2 of 6 .*/d\.json: 2, first in line 3"):
        place.load(error_budget=0.1)
    assert place.query(
        "from raw.rejected_lines select count(*) where path = '2025-05-10/d.json'"
    ) == [(2,)]


# ---------- an independent recount


def recount(files: Mapping[str, Sequence[str]]) -> tuple[set[Any], set[Any]]:
    """Events and copies that the files must give; the slow and obvious way."""
    groups: dict[Any, list[Any]] = {}
    for path, lines in files.items():
        folder = re.search(r"\d{4}-\d\d-\d\d", path)
        for number, line in enumerate(lines, 1):
            row = {
                name: value for name, value in json.loads(line).items() if value not in (None, "")
            }
            names = ("event_type", "event_name", "user_id", "company_id", "inserted_at")
            rest = () if "internal_event_id" in row else tuple(row.get(name) for name in names)
            key = (row["app_token"], row.get("internal_event_id"), rest)
            rank = (folder[0] if folder else "", path.encode(), number)
            groups.setdefault(key, []).append((rank, path, number, row))
    events, copies = set(), set()
    for group in groups.values():
        winners: list[Any] = []
        for copy in sorted(group, key=lambda copy: copy[0], reverse=True):
            _, path, number, row = copy
            winner = next((one for one in winners if one[3] == row), None)
            if winner is None:
                events.add((path, number, bool(winners), as_text(row)))
                winners.append(copy)
            else:
                text = as_text(row) if as_text(row) != as_text(winner[3]) else None
                copies.add((path, number, winner[1], winner[2], text))
    return events, copies


def as_text(row: dict[str, Any]) -> str | None:
    return json.dumps(row["metadata"], separators=(",", ":")) if "metadata" in row else None


def random_line(chance: random.Random) -> str:
    metadata = chance.choice([None, {}, {"a": 1, "b": "x"}, {"b": "x", "a": 1}, {"a": 2, "b": "x"}])
    return event(
        app_token=chance.choice("AB"),
        internal_event_id=chance.choice([None, None, "i", "j"]),
        user_id=chance.choice([None, "u"]),
        inserted_at=chance.choice([AT, AT.replace("30.", "31.")]),
        browser=chance.choice([None, None, "Chrome"]),
        metadata=metadata,
    )


View = dict[int, tuple[Any, ...]]


def readers_view(place: Place) -> View:
    """What each event tells its readers, by number."""
    rows = place.query("""
        select event_no, e.* exclude (event_no, file_id, line_number, changed_in),
            inserted_at > coalesce(folder_date::timestamp, loaded_at) + interval 1 day
        from raw.events as e left join raw.files using (file_id)
        where not is_superseded
    """)
    return {row[0]: row[1:] for row in rows}


def check_changes(place: Place, since: int, before: View) -> None:
    """The loads since some load name all events that differ now; not after each there is a build.

    One that changed and changed back may be named too.
    """
    after = readers_view(place)
    ((loads, counted),) = place.query(
        f"select count(*), coalesce(sum(changed_events), 0) from raw.loads where load_id > {since}"  # noqa: S608
    )
    kept = {number for (number,) in place.query("select event_no from raw.events")}
    named, former = (
        {
            number
            for (number,) in place.query(
                f"from raw.{table} select event_no where changed_in > {since}"
            )
        }
        for table in ("events", "former_events")
    )
    differing = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    assert named | former >= differing
    assert former >= before.keys() - kept
    assert counted >= len(named) + len(former)
    assert loads != 1 or counted == len(named) + len(former)
    # Whoever takes out what is named, and puts in what of it counts, has all events again.
    key = """(app_token, coalesce(
        internal_event_id,
        (event_type, event_name, user_id, company_id, inserted_at)::varchar
    ))"""
    changed = f"from raw.{{}} select {key} where changed_in > {since}"
    assert not place.query(f"""
        from raw.events
        where not is_superseded and changed_in <= {since}
            and {key} in ({changed.format("events")} union {changed.format("former_events")})
    """)


@pytest.mark.parametrize("seed", range(20))
def test_any_history_of_files_gives_what_the_files_say(
    place: Place, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Files appear, grow, shrink and vanish; after each load the tables say what the files say."""
    chance = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(loader, "TASK_BYTES", chance.choice([1, 10_000]))
    monkeypatch.setattr(loader, "BATCH_BYTES", chance.choice([1, 10_000]))
    paths = [
        "a.json",
        "2025-05-10/a.json",
        "2025-05-10/b.json",
        "2025-05-11/a.json",
        "2025-05-12/c.json",
    ]
    files: dict[str, list[str]] = {}
    views: dict[int, View] = {}
    for _ in range(5):
        for path in chance.sample(paths, chance.randint(1, 3)):
            same_again = files and chance.random() < 0.4
            lines = [random_line(chance) for _ in range(chance.randint(0, 8))]
            twice = lines[: chance.randint(0, 2)]
            files[path] = chance.choice([*files.values()]) if same_again else lines + twice
            place.write(path, *files[path])
        place.load()
        for since, before in views.items():
            check_changes(place, since, before)
        ((load_id,),) = place.query("select max(load_id) from raw.loads")
        views[load_id] = readers_view(place)
        if chance.random() < 0.3:
            (place.export / path).unlink()  # what was loaded stays
            place.load()
        state = place.state()
        events, copies = recount(files)
        assert {row[:4] for row in state["events"]} == events
        assert {row[:5] for row in state["copies"]} == copies
        assert len(state["events"]) + len(state["copies"]) == sum(map(len, files.values()))
        ((distinct, greatest),) = place.query(
            "select count(distinct event_no), max(event_no) from raw.events"
        )
        assert (distinct, (greatest or 0) < 1000) == (len(events), True)


def test_the_order_of_arrival_and_the_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)  # noqa: S311
    files = {
        path: [random_line(chance) for _ in range(7)] + ["[]", ""]
        for path in ("a.json", "2025-05-10/b.json", "2025-05-11/a.json")
    }
    files["2025-05-10/a.json"] = files["2025-05-11/a.json"]
    states = []
    orders = chance.sample([*itertools.permutations(files)], 8)
    for number, order in enumerate([*orders, None]):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = Place(folder)
        for clock, path in enumerate(order or files):
            place.clock = list(files).index(path)
            place.write(path, *files[path])
            if order:
                monkeypatch.setattr(loader, "BATCH_BYTES", clock)
                place.load()
        place.load()
        states.append(place.state())
    assert all(state == states[0] for state in states)
    assert states[0]["copies"]


# ---------- versions of a file


def test_a_file_that_changed_replaces_its_earlier_version(place: Place, other: Place) -> None:
    shared, lost, new = (event(internal_event_id=one) for one in ("shared", "lost", "new"))
    place.write("2025-05-10/a.json", shared)
    place.write("2025-05-11/a.json", lost, shared, "[]")
    place.load()
    before = dict(place.query("select internal_event_id, event_no from raw.events"))
    place.write("2025-05-11/a.json", new)
    place.load()
    assert place.events("path, internal_event_id") == [
        ("2025-05-10/a.json", "shared"),
        ("2025-05-11/a.json", "new"),
    ]
    assert place.query("select event_no from raw.events where internal_event_id = 'shared'") == [
        (before["shared"],)
    ]
    assert place.query("select path, status from raw.files order by file_id") == [
        ("2025-05-10/a.json", "loaded"),
        ("2025-05-11/a.json", "replaced"),
        ("2025-05-11/a.json", "loaded"),
    ]
    assert place.query("select count(*) from raw.rejected_lines") == [(0,)]
    place.write("2025-05-11/a.json", new, *(event(user_id=str(one)) for one in range(50)), shared)
    place.load()
    other.write("2025-05-10/a.json", shared)
    other.clock = 3
    other.write("2025-05-11/a.json", new, *(event(user_id=str(one)) for one in range(50)), shared)
    other.load()
    assert place.state() == other.state()


def test_events_that_a_new_version_repeats_keep_their_number(place: Place) -> None:
    place.write("a.json", event(user_id="1"), event(user_id="2"))
    place.load()
    before = place.events("user_id, event_no")
    place.write("a.json", event(user_id="0"), event(user_id="1"), event(user_id="2"))
    place.load()
    assert place.events("user_id, event_no")[1:] == before


def test_a_touched_file_is_not_loaded_again(place: Place) -> None:
    place.write("a.json", event())
    place.load()
    place.write("a.json", event())
    assert place.load().files == {"unchanged": 1}
    assert place.query("select count(*) from raw.loads") == [(1,)]
    assert place.query("select modified from raw.files") == [("2",)]


def test_what_was_loaded_is_not_even_opened(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("a.json", event())
    place.load()
    before = place.warehouse.build_database.read_bytes()
    monkeypatch.setattr(sanitise, "sanitise", None)
    monkeypatch.setattr(sanitise, "_stored", None)
    summary = place.load()
    assert (summary.status, summary.files) == ("nothing_new", {"unchanged": 1})
    assert place.warehouse.build_database.read_bytes() == before


# ---------- what a load changed


def changes(place: Place) -> tuple[dict[str, int], dict[str, int], tuple[int, int]]:
    """`changed_in` of events and of former events by `user_id`; what the last load counted."""
    ((events, records),) = place.query(
        "select changed_events, changed_records from raw.loads order by load_id desc limit 1"
    )
    return (
        dict(place.query("select user_id, changed_in from raw.events")),
        dict(place.query("select user_id, changed_in from raw.former_events")),
        (events, records),
    )


def test_only_what_a_load_adds_or_supersedes_is_changed(place: Place) -> None:
    copy, old = event(user_id="copy"), event(user_id="old", internal_event_id="x")
    place.write("2025-05-11/a.json", copy, old)
    place.load()
    assert changes(place) == ({"copy": 1, "old": 1}, {}, (2, 0))
    place.write("2025-05-12/a.json", copy, event(user_id="new", internal_event_id="x"))
    place.load()
    assert changes(place) == ({"copy": 1, "old": 2, "new": 2}, {}, (2, 0))
    place.write("2025-05-10/a.json", event(user_id="oldest", internal_event_id="x"))
    place.load()
    assert changes(place) == ({"copy": 1, "old": 2, "new": 2, "oldest": 0}, {}, (0, 0))
    place.write("2025-05-13/a.json", old)
    place.load()
    assert changes(place) == ({"copy": 1, "old": 4, "new": 4, "oldest": 0}, {}, (2, 0))


def test_copies_change_nothing_wherever_the_best_one_is(place: Place) -> None:
    lines = [event(user_id=str(number)) for number in range(3)]
    for day in (12, 13, 11):
        place.write(f"2025-05-{day}/a.json", *lines)
        place.load()
    place.write("2025-05-13/a.json", *reversed(lines), lines[0], "")
    place.load()
    assert changes(place) == (dict.fromkeys("012", 1), {}, (0, 0))
    assert place.query("select load_id, changed_events from raw.loads order by 1") == [
        (1, 3),
        (2, 0),
        (3, 0),
        (4, 0),
    ]


def test_conflicting_copies_sent_again_change_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where they come in several batches."""
    monkeypatch.setattr(loader, "TASK_BYTES", 1)
    monkeypatch.setattr(loader, "BATCH_BYTES", 1)
    for day in (11, 12):
        place.write(f"2025-05-{day}/a.json", event(user_id=str(day), internal_event_id="x"))
    place.load()
    for day in (11, 12):
        place.write(f"2025-06-01/{day}.json", event(user_id=str(day), internal_event_id="x"))
    place.load()
    assert changes(place) == ({"11": 0, "12": 1}, {}, (0, 0))


def test_json_written_anew_is_a_change(place: Place) -> None:
    one, two = (
        event(user_id="u", metadata=value) for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    place.write("2.json", one)
    place.load()
    place.write("1.json", two)  # not the best copy
    place.load()
    assert changes(place) == ({"u": 1}, {}, (0, 0))
    place.write("3.json", two, one)  # the best copy is written as before
    place.load()
    assert changes(place) == ({"u": 1}, {}, (0, 0))
    place.write("4.json", two)
    place.load()
    assert changes(place) == ({"u": 4}, {}, (1, 0))
    place.write("4.json", "")
    place.load()
    assert changes(place) == ({"u": 5}, {}, (1, 0))


def test_what_no_file_holds_any_more_is_a_former_event(place: Place) -> None:
    stays, goes = event(user_id="stays"), event(user_id="goes", session="7", internal_event_id="x")
    place.write("2025-05-11/a.json", stays, event(user_id="heir", internal_event_id="x"))
    place.write("2025-05-12/a.json", stays, goes)
    place.load()
    place.write("2025-05-12/a.json", "")
    place.load()
    assert changes(place) == ({"stays": 1, "heir": 2}, {"goes": 2}, (2, 0))
    assert place.query("select * exclude (event_no) from raw.former_events") == [
        ("NX-1", "track", None, "goes", None, "7", datetime.fromisoformat(AT[:-1]), "x", 2)
    ]
    place.write("2025-05-12/a.json", goes)
    place.load()
    assert changes(place) == ({"stays": 1, "heir": 3, "goes": 3}, {"goes": 2}, (2, 0))
    assert place.query(
        "select count(*) from raw.events join raw.former_events using (event_no)"
    ) == [(0,)]


def test_a_move_that_changes_whether_an_event_is_future_dated_is_a_change(place: Place) -> None:
    line = event(user_id="u")  # of 11 May 2025
    history = [
        ("a.json", line, 1),  # loaded today: not future-dated
        ("2025-05-09/a.json", line, 2),  # two days after the folder's date
        ("2025-05-10/a.json", line, 2),  # more than a day still
        ("2025-05-11/a.json", line, 4),
        ("2025-05-12/a.json", line, 4),
        ("2025-05-12/a.json", "", 4),
        ("2025-05-11/a.json", "", 7),
    ]
    for number, (path, content, changed_in) in enumerate(history, 1):
        place.write(path, content)
        place.load()
        assert changes(place) == ({"u": changed_in}, {}, (int(changed_in == number), 0))


def test_records_stored_or_removed_are_counted(place: Place) -> None:
    place.write("all_users.json", "{}", "{}", "[]")
    place.write("a.json", event(user_id="u"))
    place.load()
    assert changes(place) == ({"u": 1}, {}, (1, 2))
    place.write("all_users.json", '{"a":1}')
    place.load()
    assert changes(place) == ({"u": 1}, {}, (0, 3))


def test_a_load_over_the_budget_changed_nothing(place: Place) -> None:
    place.write("a.json", event(user_id="u"), "[]")
    place.write("all_users.json", "{}")
    with pytest.raises(OverBudgetError):
        place.load(error_budget=0)
    assert changes(place) == ({}, {}, (0, 0))


def test_a_warehouse_of_an_earlier_version_is_upgraded(place: Place, other: Place) -> None:
    """An earlier version made the same tables, without what tells changes."""
    copied = event(user_id="copied")
    for one in (place, other):
        one.write("2025-05-11/a.json", copied, event(user_id="old", internal_event_id="x"))
        one.load()
    with duckdb.connect(str(place.warehouse.build_database)) as connection:
        connection.execute("""
            alter table raw.events drop column changed_in;
            alter table raw.loads drop column changed_events;
            alter table raw.loads drop column changed_records;
            drop table raw.former_events;
        """)
    assert place.load().status == "nothing_new"
    assert changes(place) == ({"copied": 0, "old": 0}, {}, (0, 0))
    for one in (place, other):
        one.write("2025-05-12/a.json", copied, event(user_id="new", internal_event_id="x"))
        one.load()
    assert changes(place) == ({"copied": 0, "old": 2, "new": 2}, {}, (2, 0))
    assert place.state() == other.state()


# ---------- error budget, replay


def test_over_the_budget_nothing_is_loaded_but_all_is_recorded(place: Place, other: Place) -> None:
    place.write("good.json", event(user_id="0"))
    place.load()
    for one in (place, other):
        one.clock = 1
        one.write("bad.json", "[]", event(user_id="1"), "{")
        one.write("fine.json", event(user_id="2"))
    with pytest.raises(OverBudgetError) as refused:
        place.load(error_budget=0.49)
    assert re.search(
        r"2 of 4 lines.*bad\.json: 2, first in line 1 \(not_object\)", str(refused.value)
    )
    assert place.events("user_id") == [("0",)]
    assert place.query(
        "select path, status, physical_lines, rejected_lines, event_lines from raw.files order by 1"
    ) == [
        ("bad.json", "over_budget", 3, 2, 1),
        ("fine.json", "over_budget", 1, 0, 1),
        ("good.json", "loaded", 1, 0, 1),
    ]
    assert place.query("select path, line_number, reason from raw.rejected_lines order by 2") == [
        ("bad.json", 1, "not_object"),
        ("bad.json", 3, "not_json"),
    ]
    assert place.query("select status, error is null from raw.loads order by load_id") == [
        ("succeeded", True),
        ("failed", False),
    ]
    with pytest.raises(OverBudgetError):
        place.load(error_budget=0.49)
    assert place.query("select count(*) from raw.rejected_lines") == [(2,)]
    place.load(error_budget=0.5)  # the budget is a limit that may be reached
    other.clock = 0
    other.write("good.json", event(user_id="0"))
    other.load()
    assert place.state() == other.state()


@pytest.mark.parametrize("budget", [float("nan"), -0.1, 1.1, "0.5", True, None])
def test_a_budget_that_is_no_share_loads_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, budget: Any
) -> None:
    place.write("a.json", event())
    monkeypatch.setattr(loader, "variables", lambda: {"error_budget": budget})
    with pytest.raises(UsageProblem, match=f"error budget is `{budget}`; give a number from 0 to"):
        place.load(error_budget=None)
    assert not place.warehouse.build_database.exists()


def test_the_budget_of_the_project_file_is_the_default(place: Place) -> None:
    place.write("a.json", *["{"] * 2, *[event(user_id=str(number)) for number in range(98)])
    with pytest.raises(OverBudgetError, match="2 of 100 lines"):
        place.load(error_budget=None)


def test_replay_reads_rejected_lines_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        event(user_id="1"),
        event(user_id="late").replace(AT, "11.05.2025"),
        event(user_id="2"),
    ]
    place.write("a.json", *lines)
    place.write("b.json", event(user_id="b"))
    place.load()
    assert place.load().status == "nothing_new"
    assert place.load(replay=True, error_budget=0).rejected == {"bad_inserted_at": 1}
    monkeypatch.setattr(
        sanitise, "classify", lambda line: classify(line.replace(b"11.05.2025", AT.encode()))
    )
    assert place.load().status == "nothing_new"
    place.load(replay=True)
    assert place.events("path, line_number, user_id") == [
        ("a.json", 1, "1"),
        ("a.json", 2, "late"),
        ("a.json", 3, "2"),
        ("b.json", 1, "b"),
    ]
    assert place.query("select count(*) from raw.rejected_lines") == [(0,)]
    assert place.query("select path, status, rejected_lines from raw.files order by 1") == [
        ("a.json", "loaded", 0),
        ("b.json", "loaded", 0),
    ]


# ---------- the command


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts", "load", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_prints_a_summary(place: Place) -> None:
    place.write(
        "a.json", *(event(user_id=str(one)) for one in range(200)), event(user_id="1"), "[]"
    )
    folder = str(place.warehouse.folder)
    done = run("--warehouse", folder, USERPILOT_SOURCE=str(place.export))
    assert (done.returncode, done.stderr) == (0, "")
    assert "200 new, 1 copies" in done.stdout
    assert "1 not_object" in done.stdout
    again = run("--source", str(place.export), "--warehouse", folder, "--json")
    assert json.loads(again.stdout)["status"] == "nothing_new"
    place.write("b.json", "[]")
    failed = run("--source", str(place.export), "--warehouse", folder, "--json")
    assert failed.returncode == 1
    told = json.loads(failed.stdout)
    assert (told["status"], told["files"]) == ("failed", {"over_budget": 1, "unchanged": 1})
    assert "b.json: 1, first in line 1 (not_object)" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "Say where the export files are"),
        ("nowhere/at/all", "does not exist"),
        ("nosuch://bucket/x", "nosuch"),
        ("gs://bucket/x", "pip"),
        ("github://bucket/x", "org"),
        ("s3://me:secret@[bucket/x", "Cannot read s3://[bucket/x: "),
        ("zip://x.zip::s3://me:secret@bucket/x", "Cannot read zip://x.zip::s3://bucket/x: "),
        ("pyproject.toml", "is a file"),
        ("memory://nothing/here", "does not exist or is empty"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, source: str, words: str) -> None:
    result = CliRunner(env={"USERPILOT_SOURCE": ""}).invoke(
        command, ["--source", source, "--warehouse", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert words in result.output


def test_a_folder_that_duckdb_cannot_write_to_is_refused(tmp_path: Path) -> None:
    arguments = ["--source", str(tmp_path), "--warehouse", str(tmp_path / "a?b")]
    result = CliRunner().invoke(command, arguments)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "question mark in its name" in result.output
    assert not (tmp_path / "a?b").exists()


def test_an_empty_source_makes_empty_tables_and_a_warning(place: Place) -> None:
    place.write("readme.txt", "hello")
    summary = place.load()
    assert "No export files" in summary.warnings[0]
    assert "No export files" in place.load().warnings[0]
    assert place.events("user_id") == []


def test_a_second_loader_is_refused(place: Place) -> None:
    place.write("a.json", event())
    with place.warehouse.writing():
        done = run("--source", str(place.export), "--warehouse", str(place.warehouse.folder))
    assert done.returncode == 1
    assert "Another command is writing" in done.stderr


def test_a_full_disk_is_told_plainly(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    place.write("a.json", event())
    monkeypatch.setattr("scripts.incoming.sanitise", full)
    with pytest.raises(UsageProblem, match=r"Cannot write to .*No space left on device"):
        place.load()
    monkeypatch.undo()
    assert place.load().new_events == 1


def export_for_killing(place: Place) -> None:
    for day in range(10, 16):
        number = itertools.count(day * 1000)
        lines = [
            event(internal_event_id=str(next(number)), user_id=str(day % 2)) for _ in range(4000)
        ]
        place.write(f"2025-05-{day}/a.json", *lines, "[]")


def test_a_killed_load_is_completed_by_the_next(place: Place, other: Place) -> None:
    """`kill -9` at several moments, both in a first load and in one that replaces files."""
    chance = random.Random(1)  # noqa: S311
    for one in (place, other):
        export_for_killing(one)
    arguments = ["--source", str(place.export), "--warehouse", str(place.warehouse.folder)]
    arguments += ["--error-budget", "1"]
    started = time.monotonic()
    run(*arguments[:2], "--warehouse", str(other.warehouse.folder) + "-timing")
    usual = time.monotonic() - started
    for attempt in range(5):
        with subprocess.Popen(
            [sys.executable, "-m", "scripts", "load", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(usual * chance.uniform(0.3, 0.95))
            process.kill()
        if attempt == 2:
            assert run(*arguments).returncode == 0
            place.write("2025-05-13/a.json", event(user_id="new"), "{")
            place.write("2025-05-14/a.json", event(internal_event_id="10001", user_id="changed"))
    assert run(*arguments).returncode == 0
    other.clock = place.clock - 2
    other.write("2025-05-13/a.json", event(user_id="new"), "{")
    other.write("2025-05-14/a.json", event(internal_event_id="10001", user_id="changed"))
    other.load()
    assert place.state() == other.state()
    assert not (place.warehouse.folder / ".incoming").exists()


def test_worker_processes_load_the_same(
    place: Place, other: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (place, other):
        export_for_killing(one)
    other.load(processes=1)
    monkeypatch.setattr(loader, "SMALL_LOAD_BYTES", 0)
    monkeypatch.setattr(loader, "TASK_BYTES", 100_000)
    monkeypatch.setattr(loader, "BATCH_BYTES", 1_000_000)
    place.load(processes=2)
    assert place.state() == other.state()


def test_nothing_depends_on_the_folder_one_stands_in(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.write("a.json", event())
    monkeypatch.chdir(tmp_path)
    with place.warehouse.writing():
        assert load("export", Warehouse(Path("warehouse")), error_budget=0).new_events == 1


@pytest.mark.parametrize(
    "change",
    [
        "alter table raw.files add column newer int",
        "alter table raw.files rename column size_bytes to sz",
        "alter table raw.events drop column metadata",
        "drop schema raw cascade; create schema raw; create table raw.loads (x int)",
    ],
)
def test_tables_of_another_version_are_left_alone(place: Place, change: str) -> None:
    place.write("a.json", event())
    place.load()
    with duckdb.connect(str(place.warehouse.build_database)) as connection:
        connection.execute(change)
    tables = "select schema_name, table_name, sql from duckdb_tables() order by all"
    before = place.query(tables)
    with pytest.raises(UsageProblem, match="of another version of this project"):
        place.load()
    assert place.query(tables) == before


def test_the_name_of_a_file_cannot_pass_for_more(place: Place) -> None:
    place.write("a\nWarning: \x1b[31mred.json.gz", event())
    (warning,) = place.load().warnings
    assert warning.startswith(r"Cannot read a\nWarning: \x1b[31mred.json.gz: ")


def test_what_counted_before_it_was_superseded_is_remembered_when_it_goes(place: Place) -> None:
    """Its user stands in tables that were built before both loads."""
    first = event(internal_event_id="1", user_id="u1")
    other = event(internal_event_id="2", user_id="u0")
    place.write("2025-01-05/a.json", first, other)
    place.load()
    place.write("2025-01-06/b.json", event(internal_event_id="1", user_id="u2"))
    place.load()
    place.write("2025-01-05/a.json", other)
    place.load()
    touched = """
        select user_id from {} where changed_in > 1
        union select user_id from raw.former_events where changed_in > 1
        order by all
    """
    assert place.query(touched.format("raw.events")) == [("u1",), ("u2",)]


def test_a_file_that_is_again_what_was_loaded_leaves_no_trace_of_what_it_was(place: Place) -> None:
    place.write("a.json", event())
    place.load()
    before = place.query("select path, status, error from raw.files")
    place.write("a.json", event(), "{")
    with pytest.raises(OverBudgetError):
        place.load(error_budget=0.1)
    assert len(place.query("from raw.files")) == 2
    place.write("a.json", event())
    place.load()
    assert place.query("select path, status, error from raw.files") == before
    assert place.query("from raw.rejected_lines") == []
    assert place.query("select count(*) from raw.loads") == [
        (3,)
    ]  # for the tables that follow them


def test_files_of_the_same_bytes_are_twins_only_where_they_are_read_alike(place: Place) -> None:
    content = gzip.compress(f"{event()}\n".encode())
    place.write_bytes("a.json", content)
    place.write_bytes("b.json.gz", content)
    place.load()
    place.write_bytes("c.json", content)
    place.write_bytes("d.json.gz", content)
    place.load()
    lines = place.query("select path, event_lines from raw.files order by path")
    assert lines == [("a.json", 0), ("b.json.gz", 1), ("c.json", 0), ("d.json.gz", 1)]
