"""What a build is made of: the same fingerprint, the same tables.

Nothing in a build depends on when it runs, so a build whose fingerprint is that of the published
one has nothing to do.
"""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from scripts import PROJECT
from scripts.warehouse import Warehouse

PARTS = (
    *("dbt_project.yml", "profiles.yml", "requirements.lock"),
    *("macros", "models", "seeds", "scripts", "tests/generic"),
)
PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb")
SALT = "DBT_ENV_SECRET_TRAIT_SALT"
UNKNOWN = "unknown"  # no load is called so


@dataclass(frozen=True)
class Fingerprint:
    """What a build is made of.

    Attributes:
        project: digest of its files, of what runs them and of the salt of hashed traits.
        load: number and time of the last load; None before the first, or UNKNOWN. A database that
            was begun anew, or put back from a copy, counts its loads from there.
    """

    project: str
    load: str | None


def fingerprint(warehouse: Warehouse) -> Fingerprint:
    """Sum up what a build would be made of now."""
    with contextlib.closing(warehouse.connect(read_only=True)) as connection:
        ((load,),) = connection.execute(
            "select max_by(load_id || ' ' || started_at, load_id) from raw.loads"
        ).fetchall()
    return Fingerprint(_project(), load)


def is_project_tested(warehouse: Warehouse) -> bool:
    """Whether readers have what this very project made: its unit tests, too, have passed."""
    known = published(warehouse)
    return known is not None and known.project == _project()


def published(warehouse: Warehouse) -> Fingerprint | None:
    """Read the fingerprint of the build that readers have; None where they lack something."""
    made = (warehouse.published_database, warehouse.parquet_folder, warehouse.report_page)
    if not all(path.exists() for path in made):
        return None
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Fingerprint(**json.loads(_note(warehouse).read_text()))
    return None


def forget_load(warehouse: Warehouse) -> None:
    """Forget what load the tables are made of, before any that is published changes.

    That the unit tests of this very project have passed stays known.
    """
    if is_project_tested(warehouse):
        remember(warehouse, Fingerprint(_project(), UNKNOWN))
    else:
        _note(warehouse).unlink(missing_ok=True)


def remember(warehouse: Warehouse, made_of: Fingerprint) -> None:
    """Note the fingerprint of what has just been published."""
    _note(warehouse).write_text(json.dumps(asdict(made_of)))


def _note(warehouse: Warehouse) -> Path:
    return warehouse.folder / ".fingerprint"


def _project() -> str:
    versions = [version(package) for package in PACKAGES]
    digest = hashlib.sha256(repr((versions, os.environ.get(SALT))).encode())
    for path in sorted(_files()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _files() -> set[Path]:
    found: set[Path] = set()
    for part in PARTS:
        path = PROJECT / part
        found.update(path.rglob("*") if path.is_dir() else [path])
    return {path for path in found if path.is_file() and "__pycache__" not in path.parts}
