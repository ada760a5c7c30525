"""A finished build held against the recount, table by table."""

from pathlib import Path
from typing import Any

import duckdb

from .base import Settings
from .comparing import compare, report
from .tables import TABLES, recount, rows_of


def differences_from_recount(
    source: Path, database: Path, variables: dict[str, Any], seeds: Path, salt: str = ""
) -> dict[str, str]:
    """Return what differs, by table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        (loaded_at,) = connection.execute("select max(loaded_at) from raw.files").fetchall()[0]
        settings = Settings.of(variables | {"salt": salt})
        counted = recount(source, loaded_at, settings, seeds)
        found = {}
        for name, table in TABLES.items():
            rows = connection.execute(f"select * from {table.schema}.{name}")  # noqa: S608
            columns = [column[0] for column in rows.description or []]
            actual = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
            if differences := compare(rows_of(name, counted), actual, table.key):
                found[name] = report(differences)
        return found
