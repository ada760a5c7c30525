"""What a build is made of: the same fingerprint, the same tables.

Nothing in a build depends on when it runs, so a build whose fingerprint is that of the published
one has nothing to do.
"""

import contextlib
import hashlib
import os
from pathlib import Path

from scripts.warehouse import Warehouse

PROJECT = Path(__file__).parents[1]
PARTS = (
    *("dbt_project.yml", "profiles.yml", "requirements.lock"),
    *("macros", "models", "seeds", "scripts", "tests/generic"),
)
SALT = "DBT_ENV_SECRET_TRAIT_SALT"


def fingerprint(warehouse: Warehouse) -> str:
    """Sum up what was loaded, the project's files and the salt of hashed traits."""
    digest = hashlib.sha256()
    with contextlib.closing(warehouse.connect(read_only=True)) as connection:
        row = connection.execute("select max(load_id) from raw.loads").fetchone()
    digest.update(repr((row, os.environ.get(SALT))).encode())
    for path in sorted(_files()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def published(warehouse: Warehouse) -> str | None:
    """Read the fingerprint of the build that readers have; None where they lack something."""
    made = (warehouse.published_database, warehouse.parquet_folder, warehouse.report_page)
    if not all(path.exists() for path in made):
        return None
    with contextlib.suppress(OSError):
        return _note(warehouse).read_text()
    return None


def forget(warehouse: Warehouse) -> None:
    """Forget the fingerprint before anything of the published build changes."""
    _note(warehouse).unlink(missing_ok=True)


def remember(warehouse: Warehouse, made_of: str) -> None:
    """Note the fingerprint of what has just been published."""
    _note(warehouse).write_text(made_of)


def _note(warehouse: Warehouse) -> Path:
    return warehouse.folder / ".fingerprint"


def _files() -> set[Path]:
    found: set[Path] = set()
    for part in PARTS:
        path = PROJECT / part
        found.update(path.rglob("*") if path.is_dir() else [path])
    return {path for path in found if path.is_file() and "__pycache__" not in path.parts}
