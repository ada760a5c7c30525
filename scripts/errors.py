"""The one way a command refuses: a sentence that says what is wrong and what to do."""

import click

_DAMAGED = "It is damaged: take it from a backup, or move it away and `make build` makes it anew."
# What the machine says when it refuses, by what its message holds, and what to do about it.
_ADVICE = {
    "No space left on device": "The disk is full: make room, then run this again.",
    "max_temp_directory_size": "The disk is too full for what DuckDB puts aside: make room, then"
    " run this again.",
    "Conflicting lock is held": "Another process has it open: wait for it or end it, then run this"
    " again. Readers should open userpilot.duckdb instead.",
    "Permission denied": "Have the right to it given to the user who runs this.",
    "Read-only file system": "Take a folder on another disk.",
    "Out of Memory": "Raise USERPILOT_MEMORY_LIMIT, or lower USERPILOT_THREADS.",
    "Memory must have": "Set USERPILOT_MEMORY_LIMIT to a size such as 4GB.",
    "unit for memory": "Set USERPILOT_MEMORY_LIMIT to a size such as 4GB.",
    "not a valid DuckDB database file": "Move it away: `make build` makes it anew.",
    "sqlite_scanner": "It is no DuckDB database. Move it away: `make build` makes it anew.",
    "Could not read enough bytes": _DAMAGED,
    "computed checksum": _DAMAGED,
}


class UsageProblem(click.ClickException):
    """Something the user can mend. Printed as one line, without a traceback; exit code 1."""


def on_one_line(text: str) -> str:
    """Write what somebody else named so that it stays where it is put, on a terminal too."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def plainly(error: Exception) -> str:
    """Say in one line what the machine refused, and what to do where that is known."""
    said = getattr(error, "strerror", None) or str(error)
    line = said.splitlines()[0].partition(" See also ")[0].rstrip(".! ")
    return f"{line}. {advice(str(error))}".rstrip()


def advice(said: str) -> str:
    """Say what to do about a message of the machine; nothing where that is not known."""
    return next((what for words, what in _ADVICE.items() if words in said), "")
