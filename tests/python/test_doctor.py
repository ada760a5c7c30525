"""`doctor` finds each thing that can be wrong with a set-up, and names what to do."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections import namedtuple
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from building import ROOT, copy_project, held_open, project_vars, set_vars
from click.testing import CliRunner
from test_commands import LINE

from scripts import configuration, doctor
from scripts.configuration import VARS, seed_mistakes, var_mistakes
from scripts.doctor import Finding, Setup, command, examine
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse

if f"\nduckdb=={duckdb.__version__} " not in (ROOT / "requirements.lock").read_text():
    pytest.skip("the doctor is right: this DuckDB is not the locked one", allow_module_level=True)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*doctor.SETTINGS, *doctor.SETTINGS_OF_SUPERSET, configuration.SALT):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """An export of one event, and a warehouse with two databases."""
    export = tmp_path / "export"
    export.mkdir()
    (export / "a.json").write_text(LINE)
    warehouse = Warehouse(tmp_path / "warehouse")
    with warehouse.writing():
        pass
    for database in (warehouse.build_database, warehouse.published_database):
        duckdb.connect(str(database)).close()
    return Setup(str(export), warehouse)


def found(setup: Setup) -> list[str]:
    """What is not ok, as `state check: message`."""
    return [
        f"{one.state} {one.check}: {one.message}" for one in examine(setup) if one.state != "ok"
    ]


def only(setup: Setup, beginning: str, *words: str) -> None:
    """One thing is not ok, and the finding says so."""
    (finding,) = found(setup)
    assert finding.startswith(beginning)
    for word in words:
        assert word in finding


def test_a_good_set_up_changes_nothing_and_is_checked_soon(setup: Setup) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in setup.warehouse.folder.iterdir()}

    before = files()
    started = time.monotonic()
    assert found(setup) == []
    assert time.monotonic() - started < 2
    assert files() == before


def test_before_anything_was_made(tmp_path: Path) -> None:
    assert found(Setup(None, Warehouse(tmp_path / "not/yet"))) == []
    assert list(tmp_path.iterdir()) == []


# ---------- the installation


def test_another_python(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    version = namedtuple("version", "major minor micro")(3, 12, 1)
    monkeypatch.setattr(sys, "version_info", version)
    only(setup, "problem python: ", "install 3.11")


def test_other_packages(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    actual = doctor._version
    changed = {"click": "1.0", "agate": None}
    monkeypatch.setattr(
        doctor, "_version", lambda name: changed[name] if name in changed else actual(name)
    )
    only(setup, "problem packages: agate is missing, not 1.", "click is 1.0, not 8", "make setup")


def test_no_dbt(setup: Setup, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    only(setup, "problem imports: ", "dbt-duckdb is missing", "make setup")


# ---------- the configuration


@pytest.mark.parametrize(
    ("name", "value", "beginning"),
    [
        ("USERPILOT_THREADS", "0", "problem environment: USERPILOT_THREADS is `0`"),
        ("USERPILOT_THREADS", "1025", "problem environment: USERPILOT_THREADS is `1025`"),
        ("USERPILOT_MEMORY_LIMIT", "4XB", "problem environment: Parser Error"),
        ("USERPILOT_ERROR_BUDGET", "nan", "problem environment: USERPILOT_ERROR_BUDGET is `nan`"),
        ("USERPILOT_ERROR_BUDGET", "2", "problem environment: USERPILOT_ERROR_BUDGET is `2`"),
        ("USERPILOT_ERROR_BUDGET", "1 %", "problem environment: USERPILOT_ERROR_BUDGET is `1 %`"),
        ("USERPILOT_SORCE", "x", "warning environment: nothing reads USERPILOT_SORCE"),
    ],
)
def test_environment_variables(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, name: str, value: str, beginning: str
) -> None:
    monkeypatch.setenv(name, value)
    assert [one for one in found(setup) if one.startswith(beginning)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("USERPILOT_ERROR_BUDGET", "0.5"),
        ("USERPILOT_SUPERSET_PORT", "8089"),
        ("USERPILOT_SUPERSET_PASSWORD", "secret"),
    ],
)
def test_environment_variables_that_something_reads(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert found(setup) == []


def test_every_var_has_a_rule_and_no_mistake() -> None:
    assert set(VARS) == set(project_vars())
    assert list(var_mistakes(ROOT)) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("reporting_timezone", "Mars/Olympus", "must be an IANA time zone"),
        ("reporting_timezone", None, "must be an IANA time zone"),
        ("session_gap_minutes", "30", "must be a number above 0"),
        ("session_gap_minutes", True, "must be a number above 0"),
        ("session_gap_minutes", float("nan"), "must be a number above 0"),
        ("session_gap_minutes", float("inf"), "525600 (a year) at most"),
        ("session_gap_minutes", 10**400, "525600 (a year) at most"),
        ("effectiveness_days", 0, "must be a whole number from 1 to 3650"),
        ("effectiveness_days", 3651, "must be a whole number from 1 to 3650"),
        ("effectiveness_days", 7.0, "must be a whole number from 1 to 3650"),
        ("effectiveness_days", True, "must be a whole number from 1 to 3650"),
        ("error_budget", 1.5, "must be a number from 0 to 1"),
        ("error_budget", float("nan"), "must be a number from 0 to 1"),
        ("srm_threshold", float("inf"), "must be a number from 0 to 1"),
        ("trait_merge", "latest", "must be latest_value or latest_row"),
        ("user_traits", "email", "must be a list of texts"),
        ("excluded_users", [1], "must be a list of texts"),
        ("traits_to_drop", None, "must be a list of texts"),
        ("traits_to_hash", ["email", ""], "must be a list of texts"),
        ("user_traits", ["Event count"], "but users has a column event_count already"),
        ("company_traits", ["a b", "role", "A_b"], "`A_b`, but companies has a column a_b already"),
        ("trait_to_hash", [], "nothing reads the var trait_to_hash. Do you mean traits_to_hash?"),
    ],
)
def test_mistakes_in_vars(tmp_path: Path, name: str, value: Any, words: str) -> None:
    project = copy_project(tmp_path / "project")
    set_vars(project, **{name: value})
    (mistake,) = var_mistakes(project)
    assert mistake.startswith("dbt_project.yml: ")
    assert f"the var {name}" in mistake
    assert words in mistake


def test_a_column_of_a_trait_is_named_as_by_the_macro() -> None:
    text = (ROOT / "macros/sql/trait_columns.sql").read_text()
    known = {"modules": {"re": re}}
    module = jinja2.Environment().from_string(text, globals=known).module  # noqa: S701 (no HTML)
    for trait in ("plan", "Last login!", "2fa", "É", "_x", "a b", "a-B", "µ9", "İd"):
        assert configuration._trait_column(trait) == module.trait_column_name(trait)


def test_vars_that_are_a_list_are_missing(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (project / "dbt_project.yml").write_text("vars:\n  - trait_merge: latest_row\n")
    assert list(var_mistakes(project)) == [
        f"dbt_project.yml: the var {name} is missing." for name in VARS
    ]


def test_a_var_of_ones_own_is_no_mistake(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    set_vars(project, my_own=1)
    (project / "models/mine.sql").write_text("select {{ var('my_own') }} as one")
    assert list(var_mistakes(project)) == []


def test_broken_yaml_is_a_finding_with_its_line(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_project(tmp_path / "project")
    (project / "dbt_project.yml").write_text("vars:\n  a: [\n")
    monkeypatch.setattr(doctor, "var_mistakes", lambda: var_mistakes(project))
    only(setup, "problem variables: dbt_project.yml is no YAML: ", "line 3")


def test_hashing_without_a_salt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copy_project(tmp_path / "project")
    set_vars(project, traits_to_hash=["email"])
    (mistake,) = configuration.salt_mistakes(project)
    assert "Set DBT_ENV_SECRET_TRAIT_SALT to a long random text" in mistake
    monkeypatch.setenv(configuration.SALT, "long")
    assert list(configuration.salt_mistakes(project)) == []


USERS = "app_token,user_id\n"
ANCHORS = "anchor,event_type,event_name,entity_type,entity_id,interaction_status\n"
CONTENT = "app_token,entity_type,entity_id,name,parent_id,position,question_type\n"
FUNNELS = (
    "funnel,step,step_name,event_type,event_name,entity_type,entity_id,interaction_status,"
    "window_seconds,is_exclusion\n"
)
EXPERIMENTS = (
    "app_token,experiment_id,variant,is_control,planned_share,flow_id,goal_event_type,"
    "goal_event_name,goal_window_days\n"
)
IN_RANGE = "planned_share: `{}` is not a number from 0.000001 to 1000000."
NUMBER_STEPS = "number its steps 1, 2, 3 and so on; only an exclusion has none."


@pytest.mark.parametrize(
    ("seed", "text", "mistakes"),
    [
        ("path_anchors", ANCHORS, []),
        ("path_anchors", "\ufeff" + ANCHORS + '"a, b",,,,,\r\n\r\n"c\nd",,,,,\n', []),
        ("path_anchors", None, [": No such file or directory."]),
        (
            "erased_users",
            "app_token, User_id\na,007\n",
            [
                ", line 1: unknown column ` User_id`, the columns are app_token, user_id.",
                ", line 1: the column user_id is missing.",
            ],
        ),
        ("path_anchors", b"a\n\xfc", [", line 2 is not UTF-8: save the file as CSV UTF-8."]),
        (
            "path_anchors",
            ANCHORS.replace("event_name", "event_nam"),
            [
                ", line 1: unknown column `event_nam`, the columns are anchor, event_type,"
                " event_name, entity_type, entity_id, interaction_status.",
                ", line 1: the column event_name is missing.",
            ],
        ),
        (
            "path_anchors",
            ANCHORS.replace("event_name", "event_type"),
            [
                ", line 1: the column event_type is there twice.",
                ", line 1: the column event_name is missing.",
            ],
        ),
        (
            "path_anchors",
            ANCHORS + '"a\nb",,,,,\nc,,,\nd,,,,,,\n',
            [", line 4 has 4 cells, 6 are needed.", ", line 5 has 7 cells, 6 are needed."],
        ),
        ("path_anchors", ANCHORS + ",track,,,,\n", [", line 2, column anchor: is empty."]),
        # Whoever wrote this meant to erase somebody.
        (
            "erased_users",
            USERS + 'a, \n,""\nb,u\n',
            [
                ", line 3, column app_token: is empty.",
                ", line 2, column user_id: is empty.",
                ", line 3, column user_id: is empty.",
            ],
        ),
        (
            "path_anchors",
            ANCHORS + '"a,,,,,\n',
            [", line 2: unexpected end of data. A text with a comma or a quote stands in quotes."],
        ),
        (
            "funnels",
            FUNNELS + "a,1,,,,,,,60,true\na,,,,,,,,1e3,f\na,two,,,,,,,1.5,maybe\n",
            [
                ", line 4, column step: `two` is not a whole number.",
                ", line 4, column window_seconds: `1.5` is not a whole number from 0 to"
                " 3153600000.",
                ", line 4, column is_exclusion: `maybe` is not true or false.",
            ],
        ),
        (
            "funnels",
            FUNNELS + "a,1,,,,,,,3153600000,\nb,1,,,,,,,-1,\nc,1,,,,,,,3153600001,\n",
            [
                f", line {line}, column window_seconds: `{cell}` is not a whole number from 0 to"
                " 3153600000."
                for line, cell in ((3, "-1"), (4, "3153600001"))
            ],
        ),
        (
            "experiments",
            EXPERIMENTS
            + "".join(
                f"a,{share},A,,{share},,,,\n"
                for share in ("0.000001", "1e6", "0", "-1", "nan", "inf", "1e308", "1e-320")
            ),
            [
                f", line {line}, column {IN_RANGE.format(share)}"
                for line, share in enumerate(("0", "-1", "nan", "inf", "1e308", "1e-320"), 4)
            ],
        ),
        (
            "experiments",
            EXPERIMENTS + "".join(f"a,{d},A,,,,track,,{d}\n" for d in (36500, -7, 36501)),
            [
                f", line {line}, column goal_window_days: `{cell}` is not a whole number from 0 to"
                " 36500."
                for line, cell in ((3, "-7"), (4, "36501"))
            ],
        ),
        (
            "content",
            CONTENT + "a,nps,1,,,1,\na,nps,2,,,0,\na,nps,3,,,-1,\n",
            [
                f", line {line}, column position: `{cell}` is not a whole number from 1 to"
                " 2147483647."
                for line, cell in ((3, "0"), (4, "-1"))
            ],
        ),
        (
            "experiments",
            EXPERIMENTS + "a,9,A,,0.5,,,,\na,9,B,,,,,,\na,8,A,,,,,,\nb,9,A,,,,,,\nb,9,B,,1,,,,\n",
            [
                f", line {line}, column planned_share: is empty, another row of the experiment has"
                " one: fill it on each row or on none."
                for line in (3, 5)
            ],
        ),
        (
            "funnels",
            FUNNELS + "a,1,,,,,,,,\na,,,,,,,,,true\nA,,,,,,,,,true\n",
            [", line 4, column funnel: A has no step: this exclusion would end nothing."],
        ),
        # The rows of a funnel in any order; the exclusion has no number.
        ("funnels", FUNNELS + "a,2,,,,,,,,\na,,,,,,,,,true\nb,1,,,,,,,5,\na,1.0,,,,,,,,\n", []),
        (
            "funnels",
            FUNNELS
            + "a,1,,,,,,,,\na,3,,,,,,,,\na,4,,,,,,,,\n"
            + "b,1,,,,,,,,\nb,1,,,,,,,,\n"
            + "c,,,,,,,,,\nc,1,,,,,,,,\n"
            + "d,0,,,,,,,,\n",
            [
                f", line 3, column step: `3` stands where 2 comes next in a: {NUMBER_STEPS}",
                f", line 6, column step: `1` stands where 2 comes next in b: {NUMBER_STEPS}",
                f", line 7, column step: is empty where 2 comes next in c: {NUMBER_STEPS}",
                f", line 9, column step: `0` stands where 1 comes next in d: {NUMBER_STEPS}",
            ],
        ),
        (
            "funnels",
            FUNNELS + "a,1,,,,,,,60,\na,2,,,,,,,6e1,\na,3,,,,,,,61,\na,,,,,,,,,true\n",
            [
                f", line {line}, column window_seconds: is not that of line 2: write the same on"
                " each row of one funnel."
                for line in (4, 5)
            ],
        ),
        (
            "experiments",
            EXPERIMENTS + "a,9,A,true,,,,,\na,9,B,false,,,,,\nb,9,A,t,,,,,\na,9,C,1,,,,,\n",
            [
                ", line 5, column is_control: line 2 is the control of this experiment already:"
                " write false on one of them."
            ],
        ),
        # An empty cell says nothing of the goal.
        (
            "experiments",
            EXPERIMENTS + "a,9,A,,,,,,\na,9,B,,,,track,x,7\na,9,C,,,,track,y,8\nb,9,A,,,,,z,9\n",
            [
                f", line 4, column {column}: is not that of line 3: write the same on each row of"
                " one experiment_id."
                for column in ("goal_event_name", "goal_window_days")
            ],
        ),
        (
            "experiments",
            EXPERIMENTS + "a,9,A,,,,,,\na,9,B,,,,,,\na,9,A,,,,,,\n",
            [
                ", line 4 has the same app_token, experiment_id, variant as line 2: remove one of"
                " them."
            ],
        ),
        (
            "content",
            CONTENT + "a,nps,1,One,,,\na,survey,1,,,,\na,nps,1,Two,,,\n",
            [
                ", line 4 has the same app_token, entity_type, entity_id as line 2: remove one of"
                " them."
            ],
        ),
        (
            "erased_users",
            USERS + "a,u\na,U\nb,u\n\na,u\n",
            [", line 6 has the same app_token, user_id as line 2: remove one of them."],
        ),
    ],
)
def test_mistakes_in_seeds(
    tmp_path: Path, seed: str, text: str | bytes | None, mistakes: list[str]
) -> None:
    project = copy_project(tmp_path / "project")
    path = project / f"seeds/{seed}.csv"
    path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert list(seed_mistakes(project)) == [f"seeds/{seed}.csv{one}" for one in mistakes]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds:", "seds:", "`seeds` is missing or misspelled"),
        ("  - name: experiments", "  - nam: experiments", "`name` is missing or misspelled"),
        ("column_types:", "column_typs:", "`column_types` is missing or misspelled"),
        ("    config:", "    confg:", "`config` is missing or misspelled"),
        ("    columns:", "    colums:", "`columns` is missing or misspelled"),
        ("[app_token, experiment_id, variant]", "[varant]", "`varant` is missing or misspelled"),
        ("            columns: [", "            colums: [", "`columns` is missing or misspelled"),
        ("      column_types:", "      column_types: []\n      meta:", "a list, a key or a text"),
        ("seeds:", "seeds:\nmore:", "a list, a key or a text"),
    ],
)
def test_a_broken_declaration_of_seeds_is_one_sentence(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    project = copy_project(tmp_path / "project")
    path = project / "seeds/_seeds.yml"
    path.write_text(path.read_text().replace(old, new, 1))
    for find in (seed_mistakes, doctor.seed_doubts):
        with pytest.raises(UsageProblem, match=words) as refused:
            list(find(project))
        assert refused.value.message.startswith("seeds/_seeds.yml: ")


def test_what_may_be_misspelled_is_a_warning(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_project(tmp_path / "project")
    (project / "seeds/path_anchors.csv").write_text(
        ANCHORS
        + "a,track,tracck,experience,flow,SEEN\nb,tr%k,,%_%p,,SUBMITTED\\_%\nc,tracck,,flow,,%N\n"
        + "d,tracck,,,,seen\ne,tra_k,,,,\n"
    )
    (project / "seeds/erased_users.csv").write_text(USERS + "a,u1 \n\ta,u 2\n")
    content = project / "seeds/content.csv"
    content.write_text(content.read_text() + "a,flow,1,One,,,\na,survey,1,Two,,,\n")
    monkeypatch.setattr(doctor, "seed_doubts", partial(doctor.seed_doubts, project))
    told = [one.split(": mend it")[0] for one in found(setup)]
    events, entities, content_types, statuses = (
        "identify_user, identify_company, interaction, track, track_feature, page_view,"
        " session_start",
        "survey_module, checklist, checklist_task, resource_center, resource_center_article, nps,"
        " experience, experience_step, experiment",
        "survey, survey_option, track, track_feature",
        "SEEN, ENGAGED, COMPLETED, DISMISSED, SUBMITTED_SCORE, SUBMITTED_FEEDBACK",
    )
    where = "warning seeds: seeds/path_anchors.csv, line"
    blanks = [one for one in told if "blanks" in one]
    assert blanks == [
        f"warning seeds: seeds/erased_users.csv, line {line} has blanks around it, which count:"
        " remove them, unless your export holds them"
        for line in ("2, column user_id: `u1 `", "3, column app_token: `\ta`")
    ]
    assert sorted({*told} - {*blanks}) == [
        f"warning seeds: seeds/content.csv, line 50, column entity_type: `flow` is none of the"
        f" documented {entities}, {content_types}",
        f"{where} 3, column interaction_status: `SUBMITTED\\_%` is none of the documented"
        f" {statuses}",
        f"{where} 4, column entity_type: `flow` is none of the documented {entities}",
        f"{where} 4, column event_type: `tracck` is none of the documented {events}",
        f"{where} 5, column interaction_status: `seen` is none of the documented {statuses}",
        f"{where} 6, column event_type: `tra_k` is none of the documented {events}",
    ]


def test_many_mistakes_are_told_in_short() -> None:
    told = configuration.in_short(map(str, range(12))).splitlines()
    assert told == [*map(str, range(10)), "... and 2 more."]


# ---------- the source


@pytest.mark.parametrize(
    ("source", "beginning"),
    [
        ("nowhere", "problem source: The source folder nowhere does not exist: look into"),
        (__file__, f"problem source: The source {__file__} is a file"),
        ("gs://bucket", "problem source: "),
        ("nosuch://bucket", "problem source: "),
        ("gs://[bucket", "problem source: "),
    ],
)
def test_a_wrong_source(setup: Setup, source: str, beginning: str) -> None:
    findings = found(Setup(source, setup.warehouse))
    assert findings[0].startswith(beginning)


@pytest.mark.parametrize("source", ["memory://bucket", "simplecache::memory://bucket"])
def test_a_source_that_is_a_url(setup: Setup, source: str) -> None:
    assert found(Setup(source, setup.warehouse)) == []


def test_an_empty_source(setup: Setup) -> None:
    (Path(str(setup.source)) / "a.json").rename(Path(str(setup.source)) / "a.txt")
    only(setup, "warning source: No export files", "but other files (a.txt)")


def test_a_file_that_may_not_be_read(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(str(setup.source)) / "a.json").rename(Path(str(setup.source)) / "\x1b[2J.json")
    monkeypatch.setattr(os, "access", lambda *_: False)
    only(setup, r"problem source: 1 files cannot be read, \x1b[2J.json for one")


# ---------- the warehouse


def test_a_warehouse_that_cannot_be_written(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", closed)
    only(setup, "problem warehouse folder: cannot write to", "Permission denied. Have the right")


@pytest.mark.parametrize(("name", "is_enough"), [("a.json", True), ("a.json.gz", False)])
def test_too_little_room(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, name: str, is_enough: bool
) -> None:
    export = Path(str(setup.source))
    size = (export / "a.json").rename(export / name).stat().st_size
    usage = namedtuple("usage", "free")(doctor.ROOM * size)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert [one.split(":")[0] for one in found(setup)] == ([] if is_enough else ["warning disk"])


def test_a_writer(setup: Setup) -> None:
    with setup.warehouse.writing():
        only(setup, "problem write lock: Another command is writing")


def test_a_reader_of_the_build_database(setup: Setup) -> None:
    with held_open(setup.warehouse.build_database, read_only=True):
        only(setup, "problem build database: another process reads", "userpilot.duckdb")


def test_databases_that_are_none(setup: Setup) -> None:
    for path in (setup.warehouse.build_database, setup.warehouse.published_database):
        path.write_bytes(b"no database" * 1000)
    told = found(setup)
    assert [one.split(":")[0] for one in told] == [
        "problem build database",
        "problem published database",
    ]
    assert all("Move it away" in one for one in told)


def test_what_a_killed_run_leaves(setup: Setup) -> None:
    code = """if True:
        import os, sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        connection.execute("create table a as select 1")
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", code, setup.warehouse.build_database], check=False)
    only(setup, "warning build database: build.duckdb.wal was left by a killed run")


def test_a_stray_wal_of_the_published_database(setup: Setup) -> None:
    setup.warehouse.published_database.with_name("userpilot.duckdb.wal").touch()
    only(setup, "problem published database: ", "remove the file")


# ---------- the command


def invoke(setup: Setup, *more: str) -> tuple[int, str]:
    arguments = ["--source", str(setup.source), "--warehouse", str(setup.warehouse.folder), *more]
    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.stdout


def test_one_line_a_check_and_exit_code_0(setup: Setup) -> None:
    code, told = invoke(setup)
    *lines, last = told.splitlines()
    assert code == 0
    assert len(lines) == len(doctor.CHECKS)
    assert all(line.startswith("ok       ") for line in lines)
    assert last == "No problems found."


def test_a_warning_is_no_problem(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERPILOT_SORCE", "x")
    assert invoke(setup)[0] == 0


def test_a_problem_is_exit_code_1_and_json_for_machines(setup: Setup) -> None:
    broken = Setup("nowhere", setup.warehouse)
    code, told = invoke(broken, "--json")
    report = json.loads(told)
    assert (code, report["problems"]) == (1, 1)
    problem = next(one for one in report["findings"] if one["state"] == "problem")
    assert Finding(**problem) in examine(broken)
    assert invoke(broken)[1].endswith("1 problem found.\n")


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals(tmp_path: Path, no_color: str, is_coloured: bool) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "scripts", "doctor", "--warehouse", tmp_path / "w"],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": no_color},
        stdout=theirs,
        check=True,
    )
    os.close(theirs)
    told = os.read(ours, 1 << 16)
    os.close(ours)
    assert b"python" in told
    assert (b"\x1b[" in told) == is_coloured


def test_no_colours_elsewhere(setup: Setup) -> None:
    assert "\x1b" not in invoke(setup)[1]
