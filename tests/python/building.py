"""How tests run the project: its commands, dbt, and what a finished build is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from scripts.warehouse import replace_file

ROOT = Path(__file__).parents[2]
# What dbt parsed last in a project, for whichever warehouse.
PARSED = "target/parsed.msgpack"

# A program that has a database open until its input ends.
HOLD_OPEN = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=len(sys.argv) > 2):
    print("open", flush=True)
    sys.stdin.read()
"""
# A program that kills itself before the n-th step that it wraps in `killing`; n is its first word.
KILLING = """
import os, signal, sys
left = int(sys.argv[1])
def killing(do):
    def step(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*arguments, **options)
    return step
"""


def project_vars(project: Path = ROOT) -> dict[str, Any]:
    """The vars of dbt_project.yml."""
    variables: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text())["vars"]
    return variables


@dataclass(frozen=True)
class Build:
    """A finished build: its input, its database and how it was configured."""

    source: Path
    warehouse: Path
    vars: dict[str, Any] = field(default_factory=project_vars)
    seeds: Path = ROOT / "seeds"

    @property
    def database(self) -> Path:
        return self.warehouse / "build.duckdb"

    @property
    def published(self) -> Path:
        return self.warehouse / "userpilot.duckdb"


def copy_project(folder: Path) -> Path:
    """Copy what a build needs, so that a test may change vars and seeds."""
    for name in ("macros", "models", "seeds", "scripts", "tests/generic"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def set_vars(project: Path, **variables: Any) -> dict[str, Any]:
    """Change vars in a project's own file; return all of them."""
    path = project / "dbt_project.yml"
    configuration = yaml.safe_load(path.read_text())
    configuration["vars"] |= variables
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))
    changed: dict[str, Any] = configuration["vars"]
    return changed


@contextmanager
def held_open(database: Path, *, read_only: bool = False) -> Iterator[None]:
    """Have another process keep a database open."""
    command = [sys.executable, "-c", HOLD_OPEN, database, *["read only"] * read_only]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield


def environment_for(warehouse: Path) -> dict[str, str]:
    """What the environment is but for what whoever tests has set, and with this warehouse."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("USERPILOT", "DBT"))}
    artifacts = {name: str(warehouse / "target") for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH")}
    return inherited | artifacts | {"USERPILOT_WAREHOUSE": str(warehouse)}


def run(
    *command: str | Path, warehouse: Path, project: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command on a warehouse, from the project root, with nothing set by whoever tests."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=project,
        env=environment_for(warehouse) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def run_command(
    *command: str | Path, warehouse: Path, project: Path = ROOT, **environment: str
) -> str:
    """Run one of the project's commands, which must succeed; return what it printed."""
    result = run("scripts", *command, warehouse=warehouse, project=project, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def dbt(
    *arguments: str, warehouse: Path, project: Path = ROOT, **environment: str
) -> dict[str, Any]:
    """What `subprocess` needs to run dbt.

    It runs inside the warehouse, so that what dbt parsed in the one before is good for this one.
    """
    known = project / PARSED
    parsed = {"DBT_PARTIAL_PARSE_FILE_PATH": str(known)} if known.exists() else {}
    return {
        "args": [
            *(sys.executable, "-m", "dbt.cli.main", *arguments),
            *("--project-dir", project, "--profiles-dir", project),
        ],
        "cwd": warehouse,
        "env": environment_for(warehouse) | {"USERPILOT_WAREHOUSE": "."} | parsed | environment,
        "text": True,
    }


def run_dbt(*arguments: str, warehouse: Path, project: Path = ROOT, **environment: str) -> str:
    """Run dbt, which must succeed; return what it printed."""
    result = subprocess.run(
        **dbt(*arguments, warehouse=warehouse, project=project, **environment),
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    parsed = warehouse / "target/partial_parse.msgpack"
    if parsed.exists():
        replace_file(project / PARSED, parsed.read_bytes())
        parsed.unlink()
    return str(result.stdout)
