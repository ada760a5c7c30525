"""The as-of join, as an analyst calls it, against traits replayed event by event."""

from collections import Counter
from pathlib import Path

import duckdb
from building import Build, run_dbt
from recount.base import Counted, Settings, last
from recount.jsontext import freeze, parse
from recount.reading import Event
from recount.tables import recount
from recount.traits import states


def traits_then(counted: Counted, history: list[Event], event_type: str, event: Event) -> object:
    """The traits after everything up to the event's instant."""
    known = (item for item in history if item.occurred_at <= event.occurred_at)
    merged = last(traits for _, traits in states(known, event_type, counted.settings.trait_merge))
    return None if merged is None else freeze(merged)


def expected_rows(counted: Counted) -> Counter[tuple[object, ...]]:
    """What each tracked event should be joined to."""
    rows: Counter[tuple[object, ...]] = Counter()
    for event in counted.events:
        if event.event_type != "track":
            continue
        company = user_traits = company_traits = None
        if event.user_id is not None:
            user = (event.app_token, event.user_id)
            company = counted.company_as_of(user, event.occurred_at)
            user_traits = traits_then(counted, counted.by_user[user], "identify_user", event)
        if company is not None:
            history = counted.by_company[event.app_token, company]
            company_traits = traits_then(counted, history, "identify_company", event)
        place = (event.app_token, event.user_id, event.occurred_at, event.event_name)
        rows[(*place, company, user_traits, company_traits)] += 1
    return rows


def test_every_event_has_company_and_traits_of_its_time(
    sample_build: Build, tmp_path: Path
) -> None:
    run_dbt(
        *("compile", "--quiet", "--select", "events_as_of"),
        warehouse=sample_build.warehouse,
        DBT_TARGET_PATH=str(tmp_path),
    )
    sql = next(tmp_path.glob("compiled/**/events_as_of.sql")).read_text()
    with duckdb.connect(str(sample_build.database), read_only=True) as connection:
        (loaded_at,) = connection.execute("select max(loaded_at) from raw.files").fetchall()[0]
        found = connection.execute(
            "select app_token, user_id, occurred_at, event_name, company_id_then, "  # noqa: S608
            f"user_traits_then, company_traits_then from ({sql})"
        ).fetchall()
    settings = Settings.of(sample_build.vars)
    counted = recount(sample_build.source, loaded_at, settings, sample_build.seeds)
    expected = expected_rows(counted)
    assert any(row[4] and row[5] and row[6] for row in expected), "nothing to join to"
    actual = Counter(
        (*row[:5], *(text and freeze(parse(text)) for text in row[5:])) for row in found
    )
    assert actual == expected
