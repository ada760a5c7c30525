"""Every check of tests/lint.py finds the defect that is planted for it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building import ROOT

# Where the defect goes, what is added there, and what the check must say of it.
DEFECTS = {
    "ruff": ("scripts/bare.py", '"""A module."""\n\nimport os\n', "F401"),
    "ruff format": ("scripts/quotes.py", '"""A module."""\n\nNAME = \'name\'\n', "quotes.py"),
    "mypy": ("scripts/types.py", '"""A module."""\n\nCOUNT: int = "one"\n', "types.py:3"),
    "yamllint": ("seeds/twice.yml", "name: a\nname: b\n", "duplication of key"),
    "dbt parse": ("models/lost.yml", "models:\n  - name: not_there\n", "not_there"),
    "sqlfluff models": ("models/shouts.sql", "SELECT 1 as one\n", "CP01"),
    "sqlfluff macros": (
        "macros/sql/tight.sql",
        "{% macro tight() -%}\n    {{1}}\n{%- endmacro %}\n",
        "JJ01",
    ),
    "dbt compile": ("models/unknown.sql", "select {{ not_a_macro() }} as one\n", "not_a_macro"),
    "sqlfluff compiled": ("compiled.sql", "select COUNT(1) as one\n", "CP03"),
}


def checks(scratch: Path) -> dict[str, list[str]]:
    """The commands of tests/lint.py."""
    found = importlib.util.spec_from_file_location("lint", ROOT / "tests/lint.py")
    assert found and found.loader
    lint = importlib.util.module_from_spec(found)
    found.loader.exec_module(lint)
    commands: dict[str, list[str]] = lint.checks(str(scratch))
    return commands


def test_every_check_has_its_defect(tmp_path: Path) -> None:
    assert set(checks(tmp_path)) == set(DEFECTS)


def test_the_formatter_of_sql_goes_where_the_checks_look(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in ("sqlfluff models", "sqlfluff macros"):
        assert f"{' '.join(checks(tmp_path)[name])}\n".replace(" lint ", " fix ") in makefile


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, tmp_path: Path) -> None:
    copy, scratch = tmp_path / "project", tmp_path / "scratch"
    shutil.copytree(
        ROOT,
        copy,
        ignore=shutil.ignore_patterns(
            *(".git", ".venv*", "warehouse", "sample_export", "benchmark_data", "target", "logs"),
            *(".*_cache", "__pycache__", ".hypothesis"),
        ),
    )
    place, text, finding = DEFECTS[name]
    (copy / place).write_text(text)
    program, *arguments = checks(scratch)[name]
    if name.startswith("sqlfluff"):  # the rest of the tree takes long, and `make lint` reads it
        arguments = [a for a in arguments if a not in {"models", "macros", "tests"}]
        arguments = [a for a in arguments if not a.endswith(".sql")]
        arguments.append(place)
    result = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=copy,
        env=os.environ
        | {
            "USERPILOT_WAREHOUSE": str(tmp_path),
            "DBT_TARGET_PATH": str(scratch),
            "DBT_LOG_PATH": str(scratch),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert finding in result.stdout + result.stderr
