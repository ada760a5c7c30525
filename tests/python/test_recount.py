"""The build against the recount, and the recount against examples counted by hand."""

import gzip
import json
import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from recount import formulas
from recount.base import Counted, Settings
from recount.comparing import compare, report
from recount.tables import TABLES, recount, rows_of

LOADED_AT = datetime(2025, 6, 1)


# --- the build -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(sample_build: Any) -> tuple[Counted, duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(sample_build.database), read_only=True)
    found = connection.execute("select max(loaded_at) from raw.files").fetchone()
    loaded_at = found[0] if found and found[0] else LOADED_AT
    settings = Settings.of(sample_build.vars)
    return recount(sample_build.source, loaded_at, settings, sample_build.seeds), connection


# Nothing is removed from the sample: test_privacy.py counts what is.
@pytest.mark.parametrize("name", [name for name in TABLES if name != "removed_events"])
def test_build_agrees_with_recount(
    sample: tuple[Counted, duckdb.DuckDBPyConnection], name: str
) -> None:
    counted, connection = sample
    table = TABLES[name]
    expected = rows_of(name, counted)
    assert expected, f"the sample holds nothing for {name}: it proves nothing"
    found = connection.execute(f"select * from {table.schema}.{name}")  # noqa: S608
    columns = [column[0] for column in found.description or []]
    actual = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    differences = compare(expected, actual, table.key)
    assert not differences, f"{name}: {report(differences)}"
    assert len(expected) == len(actual)


# --- the recount itself ----------------------------------------------------------------------


def line(at: str = "2025-05-10T12:00:00Z", **values: Any) -> dict[str, Any]:
    event = {"app_token": "NX-1", "event_type": "track", "user_id": "u1", "inserted_at": at}
    return {**event, **values}


def act(name: str, at: str, user_id: str = "u1", **metadata: Any) -> dict[str, Any]:
    return line(at, event_type="interaction", event_name=name, user_id=user_id, metadata=metadata)


def write(folder: Path, name: str, *lines: dict[str, Any]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in lines), encoding="utf-8")


def count(folder: Path, *lines: dict[str, Any], zone: str = "UTC", **seeds: str) -> Counted:
    write(folder / "export", "events.json", *lines)
    for name, text in seeds.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return recount(folder / "export", LOADED_AT, Settings(reporting_timezone=zone), folder)


def test_reads_every_packing_and_counts_every_line(tmp_path: Path) -> None:
    row = json.dumps(line()).encode()
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + row + b"\r\n \t\r\n\n" + row)
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(row + b"\n") + gzip.compress(row))
    pack = zstandard.ZstdCompressor().compress
    (tmp_path / "c.jsonl.zst").write_bytes(pack(row + b"\n") + pack(row))
    (tmp_path / "d.json.gz").write_bytes(gzip.compress(row)[:-9])
    (tmp_path / "e.json.zst").write_bytes(pack(row)[:-3])
    (tmp_path / "f.csv").write_bytes(row)
    (tmp_path / ".g.json").write_bytes(row)
    (tmp_path / "all_users.json").write_bytes(b'{"user_id":"u1"}\n[]\n')
    counted = recount(tmp_path, LOADED_AT)
    ledger = {
        file.path: (file.status, file.physical_lines, file.event_lines, file.new_events)
        for file in counted.export.files
    }
    assert ledger == {
        ".g.json": ("skipped", 0, 0, 0),
        "a.json": ("loaded", 4, 2, 0),
        "all_users.json": ("loaded", 2, 1, 0),
        "b.ndjson.gz": ("loaded", 2, 2, 0),
        "c.jsonl.zst": ("loaded", 2, 2, 1),
        "d.json.gz": ("failed", 0, 0, 0),
        "e.json.zst": ("failed", 0, 0, 0),
        "f.csv": ("skipped", 0, 0, 0),
    }
    assert len(counted.events) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a":"\xff"}', "invalid_utf8"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":1,}', "not_json"),
        (b"{} {}", "not_json"),
        (b'{"a":"\t"}', "not_json"),
        (rb'{"a":"\ud800"}', "not_json"),
        (rb'{"a":"\udc00\ud800"}', "not_json"),
        (rb'{"a":"\udc00"}', "not_json"),
        (rb'{"a":"\ud800\n"}', "not_json"),
        (rb'{"a":"\ud800-\udc00"}', "not_json"),
        (rb'{"a":"\ud83d\ude00 \\ud800"}', "no_app_token"),
        (b"[]", "not_object"),
        (b'{"app_token":{}}', "no_app_token"),
        (b'{"app_token":"x","event_type":""}', "no_event_type"),
        (b'{"app_token":"x","event_type":"t","inserted_at":1715000000}', "bad_inserted_at"),
        (
            b'{"app_token":"x","event_type":"t","inserted_at":"2025-02-30 00:00:00"}',
            "bad_inserted_at",
        ),
        (b'{"app_token":"x","event_type":"t","inserted_at":"2025-02-03"}', "bad_inserted_at"),
    ],
)
def test_rejects_with_the_reason(tmp_path: Path, text: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(b"\n" + text + b"\n")
    rejected = recount(tmp_path, LOADED_AT).export.rejected
    assert [(r.line_number, r.reason) for r in rejected] == [(2, reason)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-05-11T07:45:30.123456Z", datetime(2025, 5, 11, 7, 45, 30, 123456)),
        ("2025-05-11 07:45:30.1234569", datetime(2025, 5, 11, 7, 45, 30, 123456)),
        ("2025-05-11T00:45:30.5+0130", datetime(2025, 5, 10, 23, 15, 30, 500000)),
        ("2025-05-11 23:45:30-05:00", datetime(2025, 5, 12, 4, 45, 30)),
    ],
)
def test_reads_moments(tmp_path: Path, text: str, moment: datetime) -> None:
    assert count(tmp_path, line(text)).events[0].occurred_at == moment


def test_values_keep_their_written_form(tmp_path: Path) -> None:
    export = tmp_path / "a.json"
    export.write_text(
        '{"app_token":1.50,"event_type":"track","inserted_at":"2025-05-10 12:00:00",'
        '"user_id":9007199254740993,"user_id":"second","company_id":true,"session":[],'
        '"screen_width":"9.5","screen_height":"1080","attributes":"{\\"a\\":1.0}","metadata":{}}'
    )
    (row,) = rows_of("events", recount(tmp_path, LOADED_AT))
    assert (row["app_token"], row["user_id"], row["company_id"]) == (
        "1.50",
        "9007199254740993",
        "true",
    )
    assert (row["session"], row["screen_width"], row["screen_height"]) == (None, None, 1080)
    assert row["metadata"] == '{"a":1.0}'


def test_the_best_copy_wins_and_decides_the_flag(tmp_path: Path) -> None:
    folder = "userpilot_datasync_7_NX-1"
    far = line("2025-05-13T00:00:00Z", internal_event_id="x")
    write(tmp_path, f"{folder}/2025-05-10/a.json", {**far, "hostname": "old"}, far)
    write(tmp_path, "z.json", {**far, "hostname": "undated"})
    assert recount(tmp_path, LOADED_AT).events[0].is_future_dated
    write(tmp_path, f"{folder}/2025-05-12/a.json", {**far, "hostname": "new"})
    counted = recount(tmp_path, LOADED_AT)
    assert [(e.hostname, e.is_future_dated) for e in counted.events] == [("new", False)]
    assert [(f.new_events, f.duplicate_lines) for f in counted.export.files] == [
        (0, 2),
        (1, 0),
        (0, 1),
    ]


def test_a_late_row_opens_the_session_earlier(tmp_path: Path) -> None:
    view = {"event_type": "page_view", "session": "10"}
    counted = count(
        tmp_path,
        line("2025-05-10T12:00:00Z", **view, pathname="/b"),
        line("2025-05-10T12:30:00.000001Z", **view, pathname="/c"),
        line("2025-05-10T11:30:00Z", **view, pathname="/a", source="backend-http"),
    )
    (row,) = rows_of("sessions", counted)
    assert (row["entry_pathname"], row["exit_pathname"]) == ("/a", "/c")
    assert (row["visit_count"], row["session_number"], row["is_bounce"]) == (2, 10, False)
    assert row["duration_seconds"] == 3600.000001


def test_a_tie_is_decided_by_id_then_name(tmp_path: Path) -> None:
    counted = count(
        tmp_path,
        line(internal_event_id="b", company_id="last"),
        line(internal_event_id="a", company_id="middle"),
        line(event_name="n", company_id="second"),
        line(company_id="first"),
    )
    stays = rows_of("user_companies", counted)
    assert [row["company_id"] for row in stays] == ["first", "second", "middle", "last"]
    assert rows_of("users", counted)[0]["company_id"] == "last"


def test_midnight_follows_the_zone(tmp_path: Path) -> None:
    before, after = line("2025-05-09T21:59:59.999999Z"), line("2025-05-09T22:00:00Z")
    rows = rows_of("events", count(tmp_path, before, after, zone="Europe/Berlin"))
    assert [row["occurred_date"] for row in rows] == [date(2025, 5, 9), date(2025, 5, 10)]


def test_traits_merge_and_null_removes(tmp_path: Path) -> None:
    def identify(at: str, **metadata: Any) -> dict[str, Any]:
        return line(at, event_type="identify_user", metadata=metadata)

    counted = count(
        tmp_path,
        identify("2025-05-10T01:00:00Z", email="a@b.c", plan_type="pro"),
        identify("2025-05-10T02:00:00Z", email="a@b.c"),
        identify("2025-05-10T03:00:00Z", plan_type=None, signup_at="1519205055"),
    )
    (row,) = rows_of("users", counted)
    assert (row["email"], row["plan_type"]) == ("a@b.c", None)
    assert row["signed_up_at"] == datetime(2018, 2, 21, 9, 24, 15)
    assert len(rows_of("user_traits_history", counted)) == 2


def test_one_submission_is_one_response(tmp_path: Path) -> None:
    counted = count(
        tmp_path,
        act("nps:1:SUBMITTED_SCORE", "2025-05-10T01:00:00Z", score="9"),
        act("nps:1:SUBMITTED_FEEDBACK", "2025-05-10T01:00:09Z", score="9.5", feedback="Good"),
        act("nps:1:SUBMITTED_SCORE", "2025-05-11T01:00:00Z", score=6),
        act("nps:1:SEEN", "2025-05-11T01:00:00Z", user_id="u2"),
    )
    rows = rows_of("nps_responses", counted)
    assert [(r["submission_id"], r["score"], r["invalid_score_count"]) for r in rows] == [
        ("2025-05-10", 9, 1),
        ("2025-05-11", 6, 0),
    ]
    scores = {(r["period"], r["basis"]): r for r in rows_of("nps_scores", counted)}
    assert scores["all", "all_responses"]["nps"] == 0
    assert scores["2025-05", "latest_per_user"]["nps"] == -100
    assert scores["all", "latest_per_user"]["response_rate"] == 0.5


FUNNEL = (
    "funnel,step,step_name,event_type,event_name,entity_type,entity_id,interaction_status,"
    "window_seconds,is_exclusion\n"
    "f,1,A,track,a%,,,,10,false\nf,2,B,,b,,,,10,false\nf,3,C,,,flow,,SEEN,10,false\n"
)


def test_a_funnel_is_the_best_over_all_entries(tmp_path: Path) -> None:
    def step(name: str, second: str) -> dict[str, Any]:
        return line(f"2025-05-10T12:00:{second}Z", event_name=name)

    lines = [
        step("a1", "00"),
        step("b", "00"),
        step("b", "09"),
        step("a2", "05"),
        act("flow:1:SEEN", "2025-05-10T12:00:15Z"),
    ]
    (row,) = rows_of("funnel_users", count(tmp_path, *lines, funnels=FUNNEL))
    assert (row["max_step"], row["entry_at"]) == (3, datetime(2025, 5, 10, 12, 0, 5))
    steps = rows_of("funnel_steps", count(tmp_path, *lines, funnels=FUNNEL))
    assert [r["median_seconds_from_previous"] for r in steps] == [None, 4.0, 6.0]
    excluding = FUNNEL + "f,,,track,stop,,,,,true\n"
    (row,) = rows_of("funnel_users", count(tmp_path, *lines, step("stop", "09"), funnels=excluding))
    assert row["step_times"] == "2025-05-10T12:00:00.000000Z,2025-05-10T12:00:09.000000Z"


EXPERIMENT = (
    "app_token,experiment_id,variant,is_control,planned_share,flow_id,goal_event_type,"
    "goal_event_name,goal_window_days\n"
    "NX-1,9,A,false,0.5,,track,buy,1\nNX-1,9,B,true,0.5,,track,buy,1\nNX-1,9,C,false,,,,,\n"
)


def test_experiments_leave_out_the_contaminated(tmp_path: Path) -> None:
    lines = [
        act("experiment:9:SEEN", "2025-05-10T12:00:00Z", variant="A"),
        line("2025-05-11T12:00:00Z", event_name="buy"),
        act("experiment:9:SEEN", "2025-05-10T12:00:00Z", "u2", variant="B"),
        act("experiment:9:COMPLETED", "2025-05-10T12:00:01Z", "u2", variant="B"),
        act("experiment:9:SEEN", "2025-05-10T12:00:00Z", "u3", variant="B"),
        act("experiment:9:SEEN", "2025-05-12T12:00:00Z", "u3", variant="A"),
        act("experiment:9:SEEN", "2025-05-10T12:00:00Z", "u4"),
    ]

    def summary(counted: Counted) -> list[tuple[Any, ...]]:
        columns = ("is_control", "is_reference", "exposed_users", "clean_users", "converted_users")
        return [tuple(r[c] for c in columns) for r in rows_of("experiment_variants", counted)]

    assert summary(count(tmp_path, *lines)) == [(None, True, 2, 1, 0), (None, False, 2, 1, 1)]
    assert summary(count(tmp_path, *lines, experiments=EXPERIMENT)) == [
        (False, False, 2, 1, 1),
        (True, True, 2, 1, 0),
        (False, False, 0, 0, 0),
    ]


def test_formulas_agree_with_the_libraries() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    multiple = pytest.importorskip("statsmodels.stats.multitest")
    for x1, n1, x2, n2 in [(30, 100, 45, 110), (0, 7, 3, 9), (9, 9, 1, 200)]:
        low, high = proportion.proportion_confint(x1, n1, method="wilson")
        assert formulas.wilson(x1, n1) == pytest.approx((low, high), abs=1e-12)
        z, p = proportion.proportions_ztest([x1, x2], [n1, n2])
        own = formulas.pooled_z(x1, n1, x2, n2)
        assert own == pytest.approx(z)
        assert formulas.two_sided_p(own or math.nan) == pytest.approx(p)
        interval = proportion.confint_proportions_2indep(
            x1, n1, x2, n2, method="newcomb", compare="diff"
        )
        assert formulas.newcombe(x1, n1, x2, n2) == pytest.approx(interval, abs=1e-12)
    for observed, shares in [((40, 60), (1, 1)), ((30, 40, 50), (2, 1, 1))]:
        expected = [sum(observed) * share / sum(shares) for share in shares]
        assert formulas.split_p(observed, shares) == pytest.approx(
            scipy_stats.chisquare(observed, expected).pvalue
        )
    p_values = [0.04, 0.01, 0.03]
    assert formulas.holm(p_values) == pytest.approx(
        multiple.multipletests(p_values, method="holm")[1]
    )


def test_compare_names_what_differs() -> None:
    expected = [
        {"k": 1, "x": 1.0, "traits": '{"a":1,"b":2.0}'},
        {"k": 2, "x": None, "traits": None},
    ]
    actual = [{"k": 1, "x": 1.0 + 1e-12, "traits": '{"b": 2.00, "a": 1}'}]
    assert compare(expected, actual, ["k"]) == ["[k=2] rows: expected 1, found 0"]
    assert compare(expected[:1], [{**actual[0], "x": 2, "more": 1, "k_key": "1"}], ["k"]) == [
        "[k=1] x: expected 1.0, found 2",
        "[k=1] more: nothing was expected, found 1",
    ]


def test_days_add_up_to_everybody(tmp_path: Path) -> None:
    counted = count(
        tmp_path,
        line("2025-05-01T12:00:00Z"),
        line("2025-05-02T12:00:00Z"),
        line("2025-05-04T12:00:00Z"),
        line("2025-05-04T12:00:00Z", user_id="u2"),
        line("2025-05-05T12:00:00Z", user_id="u3", source="backend-hubspot"),
    )
    columns = ("dau", "new_users", "retained_users", "resurrected_users", "dormant_users")
    rows = rows_of("daily_activity", counted)
    assert [tuple(row[column] for column in columns) for row in rows] == [
        (1, 1, 0, 0, 0),
        (1, 0, 1, 0, 0),
        (0, 0, 0, 0, 1),
        (2, 1, 0, 1, 0),
        (0, 0, 0, 0, 2),
    ]
    days = [row for row in rows_of("retention", counted) if row["period"] == "day"]
    first = [row["retained_users"] for row in days if row["cohort_date"] == date(2025, 5, 1)]
    assert first == [1, 1, 0, 1, 0]


def test_steps_and_tasks_belong_to_their_whole(tmp_path: Path) -> None:
    content = (
        "app_token,entity_type,entity_id,name,parent_id,position,question_type\n"
        "NX-1,experience_step,10,Ten,4,,\nNX-1,checklist_task,8,Unseen,1,,\n"
    )
    counted = count(
        tmp_path,
        act("experience:4:SEEN", "2025-05-01T12:00:00Z"),
        act("experience:4:COMPLETED", "2025-05-01T12:00:01.5Z", total_dismissed="2"),
        act("experience_step:10:SEEN", "2025-05-01T12:00:00Z", user_id="u2"),
        act("experience_step:9:SEEN", "2025-05-01T12:00:00Z", parent_id="experience_4"),
        act("checklist_task:7:COMPLETED", "2025-05-01T12:00:00Z", parent_id="checklist_1"),
        content=content,
    )
    (flow,) = rows_of("flows", counted)
    assert (flow["shown_users"], flow["seen_users"], flow["completion_rate"]) == (2, 1, 1.0)
    assert flow["median_seconds_to_complete"] == 1.5
    steps = rows_of("flow_steps", counted)
    assert [(r["step_id"], r["step_number"], r["dropped_users"]) for r in steps] == [
        ("9", 1, None),
        ("10", 2, 0),
    ]
    (checklist,) = rows_of("checklists", counted)
    assert (checklist["tasks_completed"], checklist["all_tasks_completed_users"]) == (1, 0)


def test_audit_names_conflicts_and_surprises(tmp_path: Path) -> None:
    one = line(internal_event_id="x", metadata={"a": 1, "b": None})
    counted = count(
        tmp_path,
        one,
        {**one, "metadata": {"b": None, "a": 1}},
        {**one, "metadata": {"b": "2", "a": 1}},
        {**act("odd", "2025-05-01T12:00:00Z"), "a": []},
    )
    (conflict,) = rows_of("duplicate_conflicts", counted)
    assert (conflict["copy_count"], conflict["content_count"], conflict["kept_line_number"]) == (
        3,
        2,
        3,
    )
    assert [(r["field"], r["value"]) for r in rows_of("unknown_values", counted)] == [
        ("entity_type", None)
    ]
    assert [
        (row["metadata_key"], row["is_unknown_field"], row["json_types"])
        for row in rows_of("trait_drift", counted)
    ] == [("a", True, "array"), ("b", False, "string"), ("a", False, "number")]
