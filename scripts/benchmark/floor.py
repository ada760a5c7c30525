"""The floor: DuckDB reads an export's files into one typed table, and does nothing else.

`python -m scripts.benchmark.floor EXPORT DATABASE`
"""

import sys

import duckdb

from scripts.benchmark.rivals.question import COLUMNS
from scripts.warehouse import duckdb_settings


def main(export: str, database: str) -> None:
    """Fill a new database."""
    with duckdb.connect(database, config=duckdb_settings()) as connection:
        connection.execute(
            f"""
            create table events as
            from read_ndjson($files, columns = {COLUMNS}, ignore_errors = true)
            """,
            {"files": f"{export}/**/*.ndjson"},
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
