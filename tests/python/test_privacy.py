"""What is hashed, dropped, erased or excluded is gone from everything that is published."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
from building import Build, copy_project, run, run_command, set_vars
from recount.checking import differences_from_recount
from recount.jsontext import text_of
from recount.reading import Event, read_export

SALT = "a salt that nobody guesses"
ERASED = [("NX-44A1B2C3", "usr_10042"), ("NX-44A1B2C3", "7"), ("NX-STAGING7", "nobody")]
VARS = {
    "traits_to_hash": ["Email", "total_logins"],
    "traits_to_drop": ["name", "company_name"],
    "excluded_users": ["%@Company-70.example", "usr_10039"],
    "excluded_hostnames": ["STAGING.%"],
    "excluded_user_agents": ["%firefox%"],
}


@dataclass(frozen=True)
class Private:
    """A build of the sample with everything configured, and the events of the export."""

    build: Build
    events: list[Event]


@pytest.fixture(scope="module")
def private(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Private:
    project = copy_project(tmp_path_factory.mktemp("private_project"))
    lines = "".join(f"{app_token},{user_id}\n" for app_token, user_id in ERASED)
    (project / "seeds/erased_users.csv").write_text(f"app_token,user_id\n{lines}")
    variables = set_vars(project, **VARS)
    build = replace(
        sample_build,
        warehouse=tmp_path_factory.mktemp("private_warehouse"),
        vars=variables,
        seeds=project / "seeds",
    )
    run_command(
        *("build", "--source", build.source),
        warehouse=build.warehouse,
        project=project,
        DBT_ENV_SECRET_TRAIT_SALT=SALT,
    )
    with duckdb.connect(str(build.database), read_only=True) as connection:
        loaded = connection.execute("select max(loaded_at) from raw.files").fetchall()
    return Private(build, read_export(build.source, loaded[0][0]).events)


def published_texts(build: Build) -> set[str]:
    """Every text in every column of the published database and its Parquet files."""
    texts: set[str] = set()
    with duckdb.connect(str(build.published), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
        parquet = [f"'{folder}/*.parquet'" for folder in build.warehouse.glob("parquet/*/*")]
        for table in [name for (name,) in tables] + parquet:
            for column, kind, *_ in connection.execute(f"describe from {table}").fetchall():
                if kind in ("VARCHAR", "JSON"):
                    query = f'select distinct "{column}"::varchar from {table}'  # noqa: S608
                    texts.update(text for (text,) in connection.execute(query).fetchall() if text)
    return texts


def leaks(secrets: Iterable[str], texts: set[str]) -> list[str]:
    """The secrets that stand in any text, as they are or as JSON writes them."""
    everything = "\n".join(texts)
    return [
        secret
        for secret in secrets
        if secret in everything or json.dumps(secret)[1:-1] in everything
    ]


def traits(events: list[Event], key: str) -> set[str]:
    found = {text_of((event.metadata or {}).get(key)) for event in events}
    return {text for text in found if text is not None}


def told_elsewhere(events: list[Event]) -> set[str | None]:
    """What events say outside the traits that are hidden here."""
    hidden = {*VARS["traits_to_hash"], *VARS["traits_to_drop"], "email"}
    return {
        text_of(value)
        for event in events
        for key, value in (event.metadata or {}).items()
        if key not in hidden
    }


def test_hashed_and_dropped_traits_are_gone(private: Private, sample_build: Build) -> None:
    identifies = [e for e in private.events if e.event_type.startswith("identify_")]
    emails, names = traits(identifies, "email"), traits(identifies, "name")
    names -= told_elsewhere(private.events)  # the sample's hostile texts are names and more
    assert len(emails) > 100
    assert len(names) > 100
    assert set(leaks(emails, published_texts(sample_build))) == emails, "the search finds nothing"
    published = published_texts(private.build)
    assert leaks(emails, published) == []
    assert leaks(names, published) == []
    page = (private.build.warehouse / "report/index.html").read_text()
    assert leaks(emails | names, {page}) == []


def test_one_person_has_one_hash(private: Private) -> None:
    with duckdb.connect(str(private.build.published), read_only=True) as connection:
        rows = connection.execute(
            "select count(*), count(distinct email), bool_and(length(email) = 64), "
            "count(name) from marts.users where email is not null"
        ).fetchall()
    ((users, hashes, are_hex, names),) = rows
    assert users > 100
    assert hashes > 100
    assert are_hex
    assert names == 0


def test_erased_users_are_gone_and_counted(private: Private, sample_build: Build) -> None:
    long_id = "usr_10042"
    assert leaks([long_id], published_texts(sample_build)) == [long_id]
    assert leaks([long_id], published_texts(private.build)) == []
    erased = [e for e in private.events if (e.app_token, e.user_id) in ERASED]
    with duckdb.connect(str(private.build.published), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.columns "
            "where column_name = 'user_id'"
        ).fetchall()
        assert len(tables) > 10
        for schema, table in tables:
            found = connection.execute(
                f"select app_token, user_id from {schema}.{table}"  # noqa: S608
            ).fetchall()
            assert set(found).isdisjoint(ERASED), table
        audited = connection.execute(
            "select app_token, event_count, user_count from audit.removed_events "
            "where reason = 'erased_user'"
        ).fetchall()
    assert audited == [("NX-44A1B2C3", len(erased), 2)]
    assert len(erased) > 10


def test_private_build_agrees_with_recount(private: Private) -> None:
    build = private.build
    differences = differences_from_recount(
        build.source, build.database, build.vars, build.seeds, SALT
    )
    assert differences == {}


def test_the_salt_stands_in_no_file(private: Private) -> None:
    files = [path for path in private.build.warehouse.rglob("*") if path.is_file()]
    assert any(path.name == "dbt.log" for path in files)
    assert [path for path in files if SALT.encode() in path.read_bytes()] == []


def test_hashing_without_a_salt_says_what_to_set(private: Private, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    set_vars(project, traits_to_hash=["email"])
    result = run(*("dbt.cli.main", "build"), warehouse=private.build.warehouse, project=project)
    assert result.returncode != 0
    assert "DBT_ENV_SECRET_TRAIT_SALT" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
