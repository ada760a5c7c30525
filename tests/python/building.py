"""How tests run the project: its commands, dbt, and what a finished build is."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def project_vars() -> dict[str, Any]:
    """The vars of dbt_project.yml."""
    variables: dict[str, Any] = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
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


def run(
    *command: str | Path, warehouse: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command on a warehouse, from the project root, with nothing set by whoever tests."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("USERPILOT", "DBT"))}
    artifacts = {name: str(warehouse / "target") for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH")}
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=inherited | artifacts | {"USERPILOT_WAREHOUSE": str(warehouse)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def run_command(*command: str | Path, warehouse: Path, **environment: str) -> str:
    """Run one of the project's commands, which must succeed; return what it printed."""
    result = run("scripts", *command, warehouse=warehouse, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def run_dbt(*arguments: str, warehouse: Path, **environment: str) -> str:
    """Run dbt, which must succeed; return what it printed."""
    result = run("dbt.cli.main", *arguments, warehouse=warehouse, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
