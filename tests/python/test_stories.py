"""Orders of events that must not matter, each told in a folder of tests/stories.

A story is its README (a title, a moral, a query and what it must give after the last step) and its
steps. A step's files appear at the source or replace what is there; paths in its `vanished.txt`
disappear. A story's events carry app tokens of its own, so that all stories share their builds.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import hostile
import pytest
from building import (
    KILLING,
    ROOT,
    copy_project,
    dbt,
    project_vars,
    run,
    run_command,
    run_dbt,
    set_vars,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from recount.checking import differences_from_recount
from test_build import contents
from test_documents import QUERY, table

from scripts.warehouse import Warehouse

STORIES = sorted(path.parent for path in (ROOT / "tests/stories").glob("*/README.md"))
STEPS = max(len(list(story.glob("step_*"))) for story in STORIES)
ONLY_TABLES = ("build", "--quiet", "--exclude-resource-type", "test", "unit_test")
# Every so many steps of the loader it is killed.
LOADER_STEPS = 5
EXAMPLES = int(os.environ.get("STORY_EXAMPLES", "1"))


@dataclass(frozen=True)
class Told:
    """All stories told to the end.

    Attributes:
        begun: warehouse after the first step.
        loaded: warehouse that loaded everything at once and built nothing.
        by_step: warehouse that loaded and built step by step.
        at_once: warehouse that loaded and built everything at once.
        differences: what differed between the last two after each step.
        ways: how the step-by-step build came by each table in each step.
    """

    project: Path
    everything: Path
    begun: Path
    loaded: Path
    by_step: Path
    at_once: Path
    differences: dict[int, dict[str, str]]
    ways: dict[int, dict[str, str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("told")
    project = copy_project(folder / "project")
    source, everything = folder / "source", folder / "everything"
    by_step, begun, loaded = folder / "by_step", folder / "begun", folder / "loaded"
    at_once, differences, ways = by_step, {}, {}
    for step in range(1, STEPS + 1):
        lay(step, source, everything)
        if step == 1:  # is at once
            load(source, by_step)
            build(project, by_step)
            shutil.copytree(by_step, begun)
            continue
        at_once = folder / f"at_once_{step}"
        load(source, by_step, "--replay")
        load(everything, at_once)
        if step == STEPS:
            shutil.copytree(at_once, loaded)
        together(lambda: build(project, by_step), lambda where=at_once: build(project, where))
        differences[step] = differing(at_once, by_step)
        ways[step] = ways_of(by_step)
    return Told(project, everything, begun, loaded, by_step, at_once, differences, ways)


def lay(step: int, source: Path, everything: Path) -> None:
    """Change the source as each story's step says; in `everything` nothing vanishes."""
    for story in STORIES:
        folder = story / f"step_{step}"
        for path in (path for path in folder.rglob("*") if path.is_file()):
            if path.name == "vanished.txt":
                for gone in path.read_text().splitlines():
                    (source / story.name / gone).unlink()
                continue
            for place in (source, everything):
                write(place / story.name / path.relative_to(folder), path.read_bytes())


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def load(source: Path, warehouse: Path, *options: str) -> None:
    run_command("load", "--source", source, "--error-budget", 1, *options, warehouse=warehouse)


def build(project: Path, warehouse: Path) -> None:
    run_dbt(*ONLY_TABLES, warehouse=warehouse, project=project)


def ways_of(warehouse: Path) -> dict[str, str]:
    """How the last build came by each table and view: UNCHANGED, PART or (all of it) OK."""
    target = warehouse / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    results = json.loads((target / "run_results.json").read_text())["results"]
    return {
        f"{node['schema']}.{node['name']}": result["message"]
        for result in results
        if (node := nodes.get(result["unique_id"])) and node["resource_type"] == "model"
    }


def together(*jobs: Callable[[], None]) -> None:
    """Run jobs that wait for other processes side by side."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        for job in [pool.submit(job) for job in jobs]:
            job.result()


def differing(one: Path, other: Path) -> dict[str, str]:
    """The tables in which two warehouses differ, and their first rows."""
    before, after = contents(one / "build.duckdb"), contents(other / "build.duckdb")
    found = {}
    for name in sorted(before.keys() | after.keys()):
        rows, others = before.get(name, Counter()), after.get(name, Counter())
        if rows != others:
            lines = [f"- {row}" for row in (rows - others)] + [f"+ {row}" for row in others - rows]
            found[name] = "\n".join(lines[:10]) or "only in one of them"
    return found


def recounted(project: Path, source: Path, warehouse: Path) -> dict[str, str]:
    """The tables that are not what the recount of the source says."""
    database, seeds = warehouse / "build.duckdb", project / "seeds"
    return differences_from_recount(source, database, project_vars(project), seeds)


# ---------- the stories


@pytest.mark.parametrize("step", range(2, STEPS + 1))
def test_step_by_step_is_at_once(told: Told, step: int) -> None:
    assert told.differences[step] == {}


@pytest.mark.parametrize("step", range(2, STEPS + 1))
def test_a_step_makes_only_what_it_touches_anew(told: Told, step: int) -> None:
    cut = {"intermediate.int_interactions", "marts.sessions", "marts.users", "marts.user_days"}
    assert {told.ways[step][table] for table in cut} == {"PART"}


def test_a_resync_with_nothing_new_makes_no_mart_anew(told: Told, tmp_path: Path) -> None:
    """Descriptions that were rewritten meanwhile are told nevertheless."""
    warehouse, project = tmp_path / "warehouse", tmp_path / "project"
    shutil.copytree(told.by_step, warehouse)
    shutil.copytree(told.project, project)
    for model in ("users", "page_views"):
        (path,) = project.glob(f"models/marts/*/{model}.yml")
        text, described = re.subn("description: (>\n *)?", r"\g<0>Rewritten. ", path.read_text())
        assert described > 2
        path.write_text(text)
    story = told.everything / "weekly_resync_with_nothing_new"
    for number, path in enumerate(sorted(story.rglob("*.json"))):
        write(tmp_path / f"source/2025-12-31/{number}.json", path.read_bytes())
    load(tmp_path / "source", warehouse)
    build(project, warehouse)
    of_runs = {"intermediate.int_build_info"}
    of_loads = {"audit.file_ledger", "audit.rejected_lines", "audit.duplicate_conflicts"}
    ways = ways_of(warehouse)
    assert {ways.pop(table) for table in of_runs | of_loads} == {"OK"}
    assert set(ways.values()) == {"UNCHANGED"}
    assert differing(told.by_step, warehouse).keys() == {"audit.file_ledger"}
    with duckdb.connect(str(warehouse / "build.duckdb"), read_only=True) as connection:
        rewritten = connection.execute("""
            select name, count(*)
            from (
                select table_name as name, comment from duckdb_tables()
                union all
                select view_name, comment from duckdb_views()
                union all
                select table_name, comment from duckdb_columns() where column_name = 'app_token'
            )
            where comment like 'Rewritten. %'
            group by name
            order by name
        """).fetchall()
    assert rewritten == [("page_views", 2), ("users", 2)]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story_ends_as_told(told: Told, story: Path) -> None:
    query = QUERY.search((story / "README.md").read_text())
    assert query is not None
    with duckdb.connect(str(told.by_step / "build.duckdb"), read_only=True) as connection:
        assert table(connection, query["sql"]) == query["result"]


def test_stories_agree_with_recount(told: Told) -> None:
    assert recounted(told.project, told.everything, told.by_step) == {}


def test_each_story_has_a_moral_and_apps_of_its_own() -> None:
    apps: Counter[str] = Counter()
    for story in STORIES:
        title, moral, query, *_ = (story / "README.md").read_text().split("\n\n")
        assert title == f"# {story.name.replace('_', ' ').capitalize()}"
        assert moral.endswith(".") and "\n" not in moral, story.name
        assert query.startswith("```sql\n"), story.name
        texts = "".join(path.read_text() for path in story.rglob("*.json"))
        apps.update(set(re.findall(r'"app_token": "([^"]+)"', texts)))
    assert set(apps.values()) == {1}


# ---------- another configuration


def change_seeds(project: Path) -> None:
    for name, row in {
        "funnels.csv": "hasty,1,Opened billing,track,Billing: Page Opened,,,,60,false",
        "experiments.csv": "NX-TEST,6,B,true,0.5,,,,",
        "content.csv": "NX-NPS,nps,4,Would you recommend us?,,,",
    }.items():
        with (project / "seeds" / name).open("a") as file:
            file.write(f"{row}\n")


def change_vars(project: Path) -> None:
    set_vars(
        project,
        reporting_timezone="America/St_Johns",
        session_gap_minutes=15,
        trait_merge="latest_row",
        excluded_user_agents=["of nobody"],
    )


def add_column(project: Path) -> None:
    """Add one that the recount expects nowhere, as a surrogate key is."""
    users = project / "models/marts/core/users"
    for extension, before, added in (
        (".sql", "        activity.event_count,\n", "        activity.event_count as count_key,\n"),
        (".yml", "    columns:\n", "      - {name: count_key, data_type: bigint}\n"),
    ):
        path = users.with_suffix(extension)
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, before + added))


def change_seeds_and_add_column(project: Path) -> None:
    change_seeds(project)
    add_column(project)


# What each changes, and a table that it does not touch.
CHANGES = {
    "seeds and a column": (
        change_seeds_and_add_column,
        {
            *("funnel_steps", "funnel_users", "experiment_variants"),
            *("nps_responses", "nps_scores", "users"),
        },
        "marts.sessions",
    ),
    "vars": (
        change_vars,
        {"user_days", "daily_activity", "sessions", "user_traits_history"},
        "audit.rejected_lines",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_built_again_with_a_change_is_built_anew_with_it(
    told: Told, tmp_path: Path, name: str
) -> None:
    change, changed_marts, untouched = CHANGES[name]
    project = tmp_path / "project"
    shutil.copytree(told.project, project)
    change(project)
    again, anew = tmp_path / "again", tmp_path / "anew"
    shutil.copytree(told.by_step, again)
    shutil.copytree(told.loaded, anew)
    with duckdb.connect(str(again / "build.duckdb")) as connection:
        connection.execute("""
            create table marts.of_a_former_model as select 1 as id;
            create view marts.of_a_former_view as from marts.of_a_former_model;
            insert into intermediate.model_builds (model, definition, version) values
            ('marts.of_a_former_model', '', 1), ('marts.of_a_former_view', '', 1)
        """)
    together(*(lambda it=it: build(project, it) for it in (again, anew)))
    assert differing(anew, again) == {}
    assert recounted(project, told.everything, again) == {}
    changed = differing(told.by_step, again)
    assert {f"marts.{mart}" for mart in changed_marts} <= changed.keys()
    assert ways_of(again)[untouched] == "UNCHANGED"


def test_a_promise_added_to_a_contract_is_held_against_what_is_there(
    told: Told, tmp_path: Path
) -> None:
    project, warehouse = tmp_path / "project", tmp_path / "warehouse"
    shutil.copytree(told.project, project)
    shutil.copytree(told.by_step, warehouse)
    path = project / "models/marts/core/sessions.yml"
    before = "expression: duration_seconds >= 0\n"
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, "expression: duration_seconds < 60\n"))
    arguments = dbt(*ONLY_TABLES, "--select", "sessions", warehouse=warehouse, project=project)
    result = subprocess.run(**arguments, capture_output=True, check=False)
    assert result.returncode == 1
    assert "CHECK((duration_seconds < 60))" in result.stdout
    assert differing(told.by_step, warehouse) == {}


# ---------- a warehouse of an earlier version


def test_a_warehouse_of_an_earlier_version_is_brought_up_to_date(
    told: Told, tmp_path: Path
) -> None:
    """Version 0.1.0 did not say what a load changed, nor what a table was made of."""
    warehouse = tmp_path / "warehouse"
    shutil.copytree(told.begun, warehouse)
    with duckdb.connect(str(warehouse / "build.duckdb")) as connection:
        connection.execute("""
            drop table intermediate.model_builds;
            drop table intermediate.int_company_user_days;
            drop table intermediate.int_path_sessions;
            drop table intermediate.int_funnel_attempts;
            create view intermediate.int_funnel_attempts as select 1;
            drop view marts.funnel_users;
            create table marts.funnel_users as select 1 as funnel;
            drop table raw.former_events;
            alter table raw.events drop changed_in;
            alter table raw.loads drop changed_events;
            alter table raw.loads drop changed_records;
        """)
    early = subprocess.run(
        **dbt("build", warehouse=warehouse, project=told.project), capture_output=True, check=False
    )
    assert "was made by an earlier version of this project. Run `make load`" in early.stdout
    load(told.everything, warehouse)
    build(told.project, warehouse)
    assert differing(told.at_once, warehouse) == {}


# ---------- two at once, and kill -9


def test_a_second_build_says_so_in_one_line(told: Told) -> None:
    with Warehouse(told.at_once).writing():
        second = run("scripts", "build", "--source", told.everything, warehouse=told.at_once)
    assert second.returncode == 1
    (line,) = second.stderr.splitlines()
    assert "Another command is writing" in line


# The loader, killed before its n-th step in the database or in the file system.
KILLED_LOAD = f"""
{KILLING}
import shutil
from scripts import load, raw
for name, do in list(vars(raw).items()):
    if getattr(do, "__module__", None) == "scripts.raw" and "connection" in do.__code__.co_varnames:
        setattr(raw, name, killing(do))
shutil.rmtree = killing(shutil.rmtree)
load.command(sys.argv[2:])
"""


def test_killed_runs_are_completed_by_the_next(told: Told, tmp_path: Path) -> None:
    """A warehouse in use: loads, and then builds, of what is new are killed at several stages."""
    warehouse = tmp_path / "warehouse"
    shutil.copytree(told.begun, warehouse)
    options = ["--source", told.everything, "--warehouse", warehouse, "--error-budget", "1"]
    for step in range(1, 1000, LOADER_STEPS):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED_LOAD, str(step), *map(str, options)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert step > 5 * LOADER_STEPS
    for started in (3, 30, 60):
        killed_build(told.project, warehouse, started)
    load(told.everything, warehouse)
    build(told.project, warehouse)
    assert differing(told.at_once, warehouse) == {}


def killed_build(project: Path, warehouse: Path, started: int) -> None:
    """Kill a build, and all its processes, when it has begun so many models and seeds."""
    with subprocess.Popen(
        **dbt(
            *(option for option in ONLY_TABLES if option != "--quiet"),
            warehouse=warehouse,
            project=project,
        ),
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        for line in process.stdout or ():
            started -= " START " in line
            if not started:
                os.killpg(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


# ---------- any order


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # to shrink an example would take many builds
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32), batches=st.integers(2, 4))
def test_any_batches_in_any_order_give_what_one_load_gives(
    tmp_path_factory: pytest.TempPathFactory, seed: int, batches: int
) -> None:
    folder = tmp_path_factory.mktemp("property")
    export, source = folder / "export", folder / "source"
    project = copy_project(folder / "project")
    # With these, events are a table; in the stories they are a view.
    set_vars(project, excluded_hostnames=["app.%"], traits_to_drop=["plan"])
    by_batch, at_once = folder / "by_batch", folder / "at_once"
    hostile.write_export(export, seed, events=600)

    def in_batches() -> None:
        for batch in batched(export, random.Random(seed), batches):  # noqa: S311
            for path, content in batch.items():
                write(source / path, content)
            load(source, by_batch)
            build(project, by_batch)

    def all_at_once() -> None:
        load(export, at_once)
        build(project, at_once)

    together(in_batches, all_at_once)
    assert differing(at_once, by_batch) == {}
    assert recounted(project, export, by_batch) == {}


def batched(export: Path, rng: random.Random, batches: int) -> list[dict[Path, bytes]]:
    """What appears when: files in random groups, some of them in another version before."""
    files = sorted(path for path in export.rglob("*") if path.is_file())
    final = {path.relative_to(export): path.read_bytes() for path in files}
    arrivals: list[dict[Path, bytes]] = [{} for _ in range(batches)]
    for path, content in final.items():
        last = rng.randrange(batches)
        arrivals[last][path] = content
        # A broken file leaves the version before it in force.
        if last and rng.random() < 0.3 and path.name != "broken.json.gz":
            alike = [final[other] for other in final if other.suffixes == path.suffixes]
            cut = content[: rng.randrange(len(content) + 1)]
            arrivals[rng.randrange(last)][path] = rng.choice([cut, rng.choice(alike)])
    return arrivals
