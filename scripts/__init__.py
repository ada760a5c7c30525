"""The commands around the dbt project, one module each."""

from pathlib import Path

PROJECT = Path(__file__).parents[1]
