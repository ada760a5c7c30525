"""Values in SQL text.

Parameters are better, but the first one of a process takes DuckDB a third of a second: it imports
pandas to see whether the value is a data frame.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_MAGIC = re.compile(r"[*?\[]")


def literal(value: str | int | Iterable[str | int]) -> str:
    """Write a text, a number or a list of them as SQL."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\0", "' || chr(0) || '") + "'"
    return "[" + ", ".join(map(literal, value)) + "]"


def files(paths: Iterable[Path | str]) -> str:
    """Write a list of files for a reading function, which shall see no pattern in their names."""
    return literal(_MAGIC.sub(r"[\g<0>]", str(path)) for path in paths)
