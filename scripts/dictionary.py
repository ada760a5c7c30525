"""`dictionary`: the pages that list every public table, written from the models' YAML.

The models' descriptions, contracts, constraints and tests are read from dbt's manifest, so that doc
blocks are resolved and a page never says what nothing checks.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

import click

from scripts import PROJECT, dbt
from scripts.publish import SCHEMAS
from scripts.warehouse import Warehouse

DICTIONARY = PROJECT / "docs" / "dictionary.md"
ENTITIES = PROJECT / "docs" / "entities.md"
WRITTEN_BY = (
    "<!-- Written by `python -m scripts dictionary` from models/**/*.yml: change those. -->"
)


@dataclass(frozen=True)
class Reference:
    """A foreign key, as a relationships test has it.

    Attributes:
        table: whose row is referred to.
        field: the column there.
    """

    table: str
    field: str


@dataclass(frozen=True)
class Column:
    """A column of a public table.

    Attributes:
        is_unique: it is tested to be.
        is_filled: a constraint or a test says that it is never NULL.
    """

    name: str
    data_type: str
    description: str
    is_unique: bool
    is_filled: bool
    references: Reference | None


@dataclass(frozen=True)
class Table:
    """A public table.

    Attributes:
        subject: the folder that its model is in: `core`, `activity`, ..., or `audit`.
        path: its model, from the project's root.
        grain: what one row is, by the first comment of the model.
        columns: in the order of the contract; the first is the key.
    """

    schema: str
    subject: str
    name: str
    path: str
    grain: str
    description: str
    columns: list[Column]

    @property
    def key(self) -> Column:
        """The single-column key."""
        return self.columns[0]


def read_manifest() -> dict[str, Any]:
    """Let dbt parse the project; no warehouse is needed.

    Raises:
        UsageProblem: the project does not parse.
    """
    with tempfile.TemporaryDirectory() as target:
        dbt.run("parse", "--no-partial-parse", warehouse=Warehouse(Path(target)), target=target)
        manifest: dict[str, Any] = json.loads((Path(target) / "manifest.json").read_text("utf-8"))
    return manifest


def public_tables(manifest: dict[str, Any]) -> list[Table]:
    """List the tables that readers get: marts by subject, core first, then audit."""
    models = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    }
    tests: dict[tuple[str, str], dict[str, Any]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["attached_node"] in models:
            of_column = tests.setdefault((node["attached_node"], node["column_name"]), {})
            of_column[node["test_metadata"]["name"]] = node

    def column(unique_id: str, declared: dict[str, Any]) -> Column:
        tested = tests.get((unique_id, declared["name"]), {})
        constraints = {constraint["type"] for constraint in declared["constraints"]}
        return Column(
            name=declared["name"],
            data_type=declared["data_type"],
            description=_one_line(declared["description"]),
            is_unique="unique" in tested,
            is_filled="not_null" in constraints | tested.keys(),
            references=_reference(tested.get("relationships"), models),
        )

    tables = [
        Table(
            schema=node["schema"],
            subject=Path(node["original_file_path"]).parent.name,
            name=node["name"],
            path=node["original_file_path"],
            grain=_first_comment(node["raw_code"]),
            description=_one_line(node["description"]),
            columns=[column(unique_id, declared) for declared in node["columns"].values()],
        )
        for unique_id, node in models.items()
    ]
    return sorted(
        tables,
        key=lambda one: (SCHEMAS.index(one.schema), one.subject != "core", one.subject, one.name),
    )


def _reference(test: dict[str, Any] | None, models: dict[str, Any]) -> Reference | None:
    if test is None:
        return None
    # A table that refers to itself depends on itself alone.
    others = [one for one in test["depends_on"]["nodes"] if one != test["attached_node"]]
    target = (others or [test["attached_node"]])[0]
    if target not in models:
        return None
    return Reference(models[target]["name"], test["test_metadata"]["kwargs"]["field"])


def _first_comment(sql: str) -> str:
    """Join the comment lines that a model begins with."""
    lines = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    return _one_line(" ".join(line.removeprefix("--") for line in lines))


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ---------- the dictionary


def dictionary(tables: list[Table]) -> str:
    """Write the page that describes every column of every public table."""
    return "\n".join(_dictionary_lines(tables)) + "\n"


def _dictionary_lines(tables: list[Table]) -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield WRITTEN_BY
    yield ""
    yield f"The {len(tables)} tables that are published, with every column. A column whose type has"
    yield "`not null` is never NULL. A key is one of:"
    yield ""
    yield "- **primary**: tested to be unique;"
    yield "- **→ table**: a foreign key, tested to be NULL or the primary key of a row there."
    yield ""
    yield (
        "[definitions.md](definitions.md) says what the numbers mean, [entities.md](entities.md)"
        " draws the keys."
    )
    for subject, members in _by_subject(tables):
        yield ""
        yield f"## {subject.capitalize()}"
        yield ""
        yield "| table | |"
        yield "|---|---|"
        for table in members:
            yield f"| [`{table.schema}.{table.name}`](#{table.name}) | {_cell(table.grain)} |"
        for table in members:
            yield ""
            yield from _table_lines(table)


def _table_lines(table: Table) -> Iterator[str]:
    yield f"### {table.name}"
    yield ""
    yield f"`{table.schema}.{table.name}`, made by [{Path(table.path).name}](../{table.path})"
    yield ""
    yield table.description
    yield ""
    yield "| column | type | key | meaning |"
    yield "|---|---|---|---|"
    for column in table.columns:
        keys = ["primary"] if column is table.key else []
        if column.references:
            keys.append(f"→ [{column.references.table}](#{column.references.table})")
        data_type = f"{column.data_type} not null" if column.is_filled else column.data_type
        yield (
            f"| `{column.name}` | {data_type} | {', '.join(keys)} | {_cell(column.description)} |"
        )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _by_subject(tables: list[Table]) -> list[tuple[str, list[Table]]]:
    return [(name, list(members)) for name, members in groupby(tables, lambda one: one.subject)]


# ---------- the diagrams


def entities(tables: list[Table]) -> str:
    """Write the page that draws the keys of the marts."""
    return "\n".join(_entity_lines([one for one in tables if one.schema == "marts"])) + "\n"


def _entity_lines(marts: list[Table]) -> Iterator[str]:
    yield "# Entities"
    yield ""
    yield WRITTEN_BY
    yield ""
    yield "How the marts hang together: one diagram a subject, with keys only. A line is a foreign"
    yield "key that is tested; a box without columns is a table of another subject."
    yield "[dictionary.md](dictionary.md) has every column."
    for subject, members in _by_subject(marts):
        references = {
            (one.name, column.references.table)
            for one in members
            for column in one.columns
            if column.references
        }
        connected = {name for pair in references for name in pair}
        drawn = [one for one in members if one.name in connected]
        alone = [one for one in members if one.name not in connected]
        yield ""
        yield f"## {subject.capitalize()}"
        if drawn:
            yield ""
            yield "```mermaid"
            yield "erDiagram"
            for table in drawn:
                yield from _box(table)
            for table in drawn:
                yield from _lines_of(table)
            yield "```"
        if alone:
            yield ""
            names = ", ".join(f"[{one.name}](dictionary.md#{one.name})" for one in alone)
            yield f"Without a foreign key: {names}."


def _box(table: Table) -> Iterator[str]:
    yield f"    {table.name} {{"
    for column in table.columns:
        kinds = ["PK"] if column is table.key else []
        if column.references:
            kinds.append("FK")
        if kinds:
            yield f"        {column.data_type} {column.name} {', '.join(kinds)}"
    yield "    }"


def _lines_of(table: Table) -> Iterator[str]:
    for column in table.columns:
        if column.references:
            one = "||" if column.is_filled else "|o"
            many = "o|" if column.is_unique else "o{"
            yield f"    {column.references.table} {one}--{many} {table.name} : {column.name}"


# ---------- command


@click.command()
def command() -> None:
    """Write docs/dictionary.md and docs/entities.md anew, after a change of a model's YAML.

    They list every public table, with its columns, keys and foreign keys, as the YAML has them. A
    test fails while they are not current. No warehouse is needed.

    \b
    Example:
      python -m scripts dictionary
    """
    tables = public_tables(read_manifest())
    for page, text in ((DICTIONARY, dictionary(tables)), (ENTITIES, entities(tables))):
        page.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {page.relative_to(PROJECT)}")
