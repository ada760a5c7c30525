"""The style checks of `make lint`, one after the other; all of them run, any failure fails.

Each is shown to be able to fail by tests/python/test_lint.py.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

DBT_OPTIONS = ["--quiet", "--warn-error"]
# What macros render to is seen only in compiled SQL, where layout, quoting and some casts are dbt's
# and the operands of a join come from a macro's arguments.
NOT_OF_COMPILED_SQL = ",".join(
    [
        *("layout", "jinja", "references.quoting", "structure.column_order"),
        *("structure.join_condition_order", "ambiguous.column_count", "convention.casting_style"),
    ]
)


def checks(scratch: str) -> dict[str, list[str]]:
    """Return the commands by name; `scratch` is where dbt may write."""
    compiled = Path(scratch) / "target/compiled/userpilot_warehouse"
    queries = sorted(
        path.relative_to(ROOT)
        for folder in ("models", "analyses")
        for path in (ROOT / folder).rglob("*.sql")
    )
    return {
        "ruff": ["ruff", "check", "--quiet", "."],
        "ruff format": ["ruff", "format", "--check", "--quiet", "."],
        "mypy": ["mypy", "--no-error-summary", "scripts", "tests/lint.py"],
        "yamllint": ["yamllint", "--strict", "."],
        "dbt parse": ["dbt", *DBT_OPTIONS, "parse", "--no-partial-parse"],
        "sqlfluff models": ["sqlfluff", "lint", "models", "analyses"],
        "sqlfluff macros": ["sqlfluff", "lint", "--templater", "jinja", "macros", "tests"],
        "dbt compile": ["dbt", *DBT_OPTIONS, "compile"],
        "sqlfluff compiled": [
            *("sqlfluff", "lint", "--config", ".sqlfluff", "--templater", "raw"),
            *("--exclude-rules", NOT_OF_COMPILED_SQL),
            *(str(compiled / query) for query in queries),
        ],
    }


def main() -> int:
    """Run every check and print what failed; the exit code is the number of failures."""
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {
            "USERPILOT_WAREHOUSE": scratch,
            "DBT_TARGET_PATH": f"{scratch}/target",
            "DBT_LOG_PATH": f"{scratch}/target",
        }
        for name, (program, *arguments) in checks(scratch).items():
            run = subprocess.run(
                [BIN / program, *arguments],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            print(f"{name}: {'passed' if run.returncode == 0 else 'FAILED'}", flush=True)
            if run.returncode:
                failures += 1
                print(run.stdout, run.stderr, sep="\n")
    return failures


if __name__ == "__main__":
    sys.exit(main())
