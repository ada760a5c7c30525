"""What stands in a seed's file stands in its table."""

import csv
import io
from pathlib import Path

import duckdb
from building import copy_project, run_dbt

# DuckDB would guess from the first 20,480 rows how a file is quoted.
LONG = [["NX-1", f"u{number}"] for number in range(21_000)]
ERASED = [["#1", "007"], ["a", "1e5"], *LONG, ["a", 'u "1", late'], ["null", "\\N"], ["a", "'b'"]]
ANCHORS = [["'all of it'", "'track'", "'x'", "'y'", "'z'", "'SEEN'"]]


def test_cells_are_read_as_they_are_written(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "it's a project")
    for seed, rows in (("erased_users", ERASED), ("path_anchors", ANCHORS)):
        path = project / f"seeds/{seed}.csv"
        header = path.read_text().splitlines()[0]
        cells = io.StringIO()
        csv.writer(cells).writerows(rows)
        path.write_text(f"{header}\n{cells.getvalue()}", newline="")
    run_dbt("seed", "--quiet", warehouse=tmp_path, project=project)
    with duckdb.connect(str(tmp_path / "build.duckdb"), read_only=True) as connection:
        erased = connection.execute("from seeds.erased_users").fetchall()
        anchors = connection.execute("from seeds.path_anchors").fetchall()
    assert sorted(erased) == sorted(map(tuple, ERASED))
    assert anchors == [tuple(row) for row in ANCHORS]
