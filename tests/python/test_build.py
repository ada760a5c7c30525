"""The whole way from files to marts: what must not matter does not, and what must agree does."""

import json
import shutil
from collections import Counter
from itertools import product
from pathlib import Path

import duckdb
import hostile
import pytest
from building import Build, copy_project, project_vars, run, run_command, run_dbt
from recount.checking import differences_from_recount

from scripts import dbt, fingerprint
from scripts.warehouse import Warehouse

# The one column that tells when a file was loaded.
WHEN_LOADED = "loaded_at"


def build(source: Path, warehouse: Path, **variables: str) -> Build:
    """Load and build with other vars; unit tests do not depend on the export."""
    run_command("load", "--source", source, warehouse=warehouse)
    run_dbt(
        *("build", "--quiet", "--exclude-resource-type", "unit_test"),
        *("--vars", json.dumps(variables)),
        warehouse=warehouse,
    )
    return Build(source, warehouse, project_vars() | variables)


def contents(database: Path) -> dict[str, Counter[tuple[object, ...]]]:
    """Every public table as a bag of rows."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('marts', 'audit') order by all"
        ).fetchall()
        found = {}
        for schema, table in tables:
            rows = connection.execute(f'select * from "{schema}"."{table}"')  # noqa: S608
            names = [column[0] for column in rows.description or []]
            kept = [i for i, name in enumerate(names) if name != WHEN_LOADED]
            found[f"{schema}.{table}"] = Counter(
                tuple(row[i] for i in kept) for row in rows.fetchall()
            )
        return found


@pytest.fixture(scope="module")
def hostile_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A hostile export, loaded at once."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile.write_export(folder / "export", seed=20250301)
    return build(folder / "export", folder / "warehouse", reporting_timezone="America/St_Johns")


def test_hostile_export_agrees_with_recount(hostile_build: Build) -> None:
    differences = differences_from_recount(
        hostile_build.source, hostile_build.database, hostile_build.vars, hostile_build.seeds
    )
    assert differences == {}


def test_batches_newest_first_give_what_one_load_gives(
    hostile_build: Build, tmp_path: Path
) -> None:
    """Four loads, the newest folders first, one thread and another time zone of the machine.

    Unit tests hold here too: with other vars, and elsewhere.
    """
    source, warehouse = tmp_path / "export", tmp_path / "warehouse"
    elsewhere = {"USERPILOT_THREADS": "1", "TZ": "Asia/Kolkata"}
    files = sorted(
        (path for path in hostile_build.source.rglob("*") if path.is_file()), reverse=True
    )
    for batch in (files[0::2][:9], files[0::2][9:], files[1::2][9:], files[1::2][:9]):
        for path in batch:
            copy = source / path.relative_to(hostile_build.source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        run_command(
            "load", "--source", source, "--error-budget", 0.1, warehouse=warehouse, **elsewhere
        )
    variables = json.dumps({"reporting_timezone": "America/St_Johns"})
    run_dbt("build", "--quiet", "--vars", variables, warehouse=warehouse, **elsewhere)
    assert contents(warehouse / "build.duckdb") == contents(hostile_build.database)


def test_empty_folder_builds_empty_marts(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    built = build(tmp_path / "export", tmp_path / "warehouse")
    assert {name for name, rows in contents(built.database).items() if rows} == set()


def test_building_again_with_nothing_new_touches_nothing(sample_build: Build) -> None:
    before = sample_build.published.stat()
    told = run_command("build", "--source", sample_build.source, warehouse=sample_build.warehouse)
    assert "Nothing has changed" in told
    assert sample_build.published.stat() == before


def test_tables_have_the_constraints_of_their_contracts(sample_build: Build) -> None:
    manifest = json.loads((sample_build.warehouse / "target/manifest.json").read_text())
    told = Counter(
        (f"{model['schema']}.{model['name']}", name, constraint["type"])
        for model in manifest["nodes"].values()
        for name, column in model.get("columns", {}).items()
        for constraint in column["constraints"]
    )
    with duckdb.connect(str(sample_build.database), read_only=True) as connection:
        found = connection.execute("""
            select
                schema_name || '.' || table_name,
                constraint_column_names[1],
                lower(replace(constraint_type, ' ', '_'))
            from duckdb_constraints()
            where schema_name in ('marts', 'audit')
        """).fetchall()
    assert len(found) > 300
    assert Counter(found) == told


def test_no_join_holds_all_rows_against_all(hostile_build: Build) -> None:
    """A condition that is more than equations can make DuckDB do so, and a big export never end."""
    compiled = hostile_build.warehouse / "target/compiled/userpilot_warehouse/models"
    models = [path for path in compiled.rglob("*.sql") if not path.parent.name.endswith(".yml")]
    assert len(models) > 60
    with duckdb.connect(str(hostile_build.database), read_only=True) as connection:
        found = set()
        for path in models:
            ((_, plan),) = connection.execute(
                f"explain (format json) {path.read_text()}"
            ).fetchall()
            if "BLOCKWISE_NL_JOIN" in plan:
                found.add(path.stem)
    # The names of events against the few rows of the seeds funnels, experiments and path_anchors.
    assert found == {
        "experiment_users",
        "int_funnel_attempts",
        "int_path_anchors",
        "int_path_sessions",
    }


def test_whatever_changes_the_result_changes_the_fingerprint(
    sample_build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    shutil.copy2(sample_build.database, folder / "build.duckdb")
    warehouse = Warehouse(folder)
    project = copy_project(tmp_path / "project")
    monkeypatch.setattr(fingerprint, "PROJECT", project)
    monkeypatch.delenv(fingerprint.SALT, raising=False)
    seen = [fingerprint.fingerprint(warehouse)]
    assert fingerprint.fingerprint(warehouse) == seen[0]
    for name in ("seeds/funnels.csv", "models/marts/core/users.sql", "dbt_project.yml"):
        with (project / name).open("a") as file:
            file.write("\n")
        seen.append(fingerprint.fingerprint(warehouse))
    (project / "seeds/funnels.csv").rename(project / "seeds/other.csv")
    seen.append(fingerprint.fingerprint(warehouse))
    monkeypatch.setenv(fingerprint.SALT, "salt")
    seen.append(fingerprint.fingerprint(warehouse))
    for load in (
        "insert into raw.loads (load_id, started_at) values (1000, '2025-05-12')",
        # Another of that number, as a database has that was begun anew or put back from a copy.
        "update raw.loads set started_at = '2025-05-13' where load_id = 1000",
    ):
        with duckdb.connect(str(folder / "build.duckdb")) as connection:
            connection.execute(load)
        seen.append(fingerprint.fingerprint(warehouse))
    assert len(set(seen)) == len(seen)


def test_dbt_build_before_any_load_says_what_to_run(tmp_path: Path) -> None:
    result = run("dbt.cli.main", "build", warehouse=tmp_path)
    assert result.returncode != 0
    assert "make load" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_long_traits_are_read_slice_by_slice(tmp_path: Path) -> None:
    """Of all users and companies, and of those that a load has touched; no slice leaves any out."""
    project, warehouse, folder = copy_project(tmp_path / "project"), tmp_path / "w", tmp_path / "e"
    path = project / "macros/materializations/table.sql"
    assert path.read_text().count("100000000") == 1
    path.write_text(path.read_text().replace("100000000", "5000"))
    told = Counter[tuple[str, str]]()
    for day in ("2025-05-11", "2025-05-12"):
        lines = []
        for kind, n in product(("user", "company"), range(20)):
            traits = {"text": day * 100}
            told[f"{kind}{n}", json.dumps(traits, separators=(",", ":"))] += 1
            lines.append(
                {
                    "app_token": "NX-1",
                    "event_type": f"identify_{kind}",
                    f"{kind}_id": f"{kind}{n}",
                    "inserted_at": f"{day}T12:00:00Z",
                    "metadata": traits,
                }
            )
        (folder / f"all_1/{day}").mkdir(parents=True)
        (folder / f"all_1/{day}/a.json").write_text("\n".join(map(json.dumps, lines)))
        run_command("load", "--source", folder, warehouse=warehouse)
        run_dbt(
            *("build", "--select", "+user_traits_history", "+company_traits_history"),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            warehouse=warehouse,
            project=project,
        )
        with Warehouse(warehouse).connect() as connection:
            found = connection.execute(
                "select user_id, cast(traits as varchar) from marts.user_traits_history union all"
                " select company_id, cast(traits as varchar) from marts.company_traits_history"
            ).fetchall()
        assert Counter(found) == told


def test_a_project_that_has_moved_finds_its_seeds(tmp_path: Path) -> None:
    """The warehouse, and in it what dbt parsed, stays where it is."""
    project, warehouse = copy_project(tmp_path / "project"), tmp_path / "w"
    (tmp_path / "export").mkdir()
    run_command("load", "--source", tmp_path / "export", warehouse=warehouse)
    for place in (project, tmp_path / "elsewhere"):
        project = project.rename(place)
        result = run("dbt.cli.main", "seed", warehouse=warehouse, project=project)
        assert result.returncode == 0, result.stdout


def test_what_dbt_parsed_is_good_for_every_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt, "PARSED", tmp_path / "not there yet" / "parsed")
    logs = []
    for name in ("one", "another"):
        warehouse = Warehouse(tmp_path / name)
        with warehouse.writing():
            dbt.run("parse", warehouse=warehouse, target=str(warehouse.dbt_target))
        logs.append((warehouse.dbt_target / "dbt.log").read_text())
    assert ["Starting full parse" in log for log in logs] == [True, False]
    assert "no changes found, skipping parsing" in logs[1]


HOOKED = """
    {{ config(
        pre_hook=[
            'create table if not exists main.seen (what text)',
            "insert into main.seen values ('before')",
        ],
        post_hook=["{{ '' }}", "insert into main.seen select 'after ' || id from {{ this }}"],
    ) }}
    select 7 as id
"""


@pytest.mark.parametrize("materialized", ["table", "view"])
def test_hooks_of_a_model_run_in_every_build(tmp_path: Path, materialized: str) -> None:
    project, warehouse = copy_project(tmp_path / "project"), tmp_path / "w"
    config = f"{{{{ config(materialized='{materialized}') }}}}"
    (project / "models/intermediate/hooked.sql").write_text(config + HOOKED)
    (tmp_path / "export").mkdir()
    run_command("load", "--source", tmp_path / "export", warehouse=warehouse)
    for _ in range(2):
        run_dbt("run", "--select", "hooked", warehouse=warehouse, project=project)
    with duckdb.connect(str(warehouse / "build.duckdb"), read_only=True) as connection:
        seen = connection.execute("select what from main.seen").fetchall()
    assert seen == [("before",), ("after 7",)] * 2


def test_unknown_time_zone_is_named(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    run_command("load", "--source", tmp_path / "export", warehouse=tmp_path)
    variables = json.dumps({"reporting_timezone": "Mars/Olympus"})
    result = run("dbt.cli.main", "build", "--vars", variables, warehouse=tmp_path)
    assert result.returncode != 0
    assert "Mars/Olympus" in result.stdout
