"""The CSV files in which users declare experiments, funnels and names."""

import csv
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

Cells = dict[str, str]


@dataclass(frozen=True)
class Seeds:
    """Rows of the seeds; an empty cell is an empty text."""

    experiments: list[Cells] = field(default_factory=list)
    funnels: list[Cells] = field(default_factory=list)
    content: list[Cells] = field(default_factory=list)
    erased_users: list[Cells] = field(default_factory=list)
    path_anchors: list[Cells] = field(default_factory=list)


def read_seeds(folder: Path) -> Seeds:
    """Read the seeds of a folder; a missing file is one without rows."""
    return Seeds(**{item.name: _rows(folder / f"{item.name}.csv") for item in fields(Seeds)})


def cell_matches(cell: str | None, text: str | None) -> bool:
    """Whether a cell admits a text: empty admits everything, `%` stands for any text."""
    if not cell:
        return True
    pattern = ".*".join(re.escape(part) for part in cell.split("%"))
    return text is not None and re.fullmatch(pattern, text, re.DOTALL) is not None


def _rows(path: Path) -> list[Cells]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: value or "" for key, value in row.items()} for row in csv.DictReader(file)]
