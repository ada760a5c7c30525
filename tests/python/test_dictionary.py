"""docs/dictionary.md and docs/entities.md: current, complete, and every link in them leads on.

`UPDATE_DOCUMENTS=1 pytest tests/python/test_dictionary.py` writes them anew, as
`python -m scripts dictionary` does.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from building import ROOT

from scripts.dictionary import (
    DICTIONARY,
    ENTITIES,
    Column,
    Reference,
    Table,
    dictionary,
    entities,
    public_tables,
    read_manifest,
)


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    return public_tables(read_manifest())


def assert_current(page: Path, current: str) -> None:
    if os.environ.get("UPDATE_DOCUMENTS"):
        page.write_text(current, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == current, "run `python -m scripts dictionary`"


def test_the_dictionary_is_current(tables: list[Table]) -> None:
    assert_current(DICTIONARY, dictionary(tables))


def test_the_diagrams_are_current(tables: list[Table]) -> None:
    assert_current(ENTITIES, entities(tables))


def test_the_dictionary_holds_what_the_yaml_declares(tables: list[Table]) -> None:
    """Read without dbt: every model, column, type, promise and foreign key."""
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", dictionary(tables), re.M | re.S))
    declared = {
        model["name"]: model
        for folder in ("marts", "audit")
        for path in (ROOT / "models" / folder).rglob("*.yml")
        for model in yaml.safe_load(path.read_text()).get("models", [])
    }
    assert set(sections) == set(declared)
    for name, section in sections.items():
        rows = re.findall(r"^\| `(\w+)` \| (\S+)( not null)? \| (.*?) \| .+ \|$", section, re.M)
        assert [(column, data_type, bool(filled)) for column, data_type, filled, _ in rows] == [
            (column["name"], column["data_type"], is_filled(column))
            for column in declared[name]["columns"]
        ]
        references = {
            (column["name"], re.findall(r"\w+", test["relationships"]["arguments"]["to"])[1])
            for column in declared[name]["columns"]
            for test in column.get("data_tests", [])
            if "relationships" in test
        }
        assert references == {
            (column, target)
            for column, _, _, key in rows
            for target in re.findall(r"→ \[(\w+)\]", key)
        }


def is_filled(column: dict[str, Any]) -> bool:
    constraints, tests = column.get("constraints", []), column.get("data_tests", [])
    return {"type": "not_null"} in constraints or "not_null" in tests


def test_nothing_is_left_to_resolve(tables: list[Table]) -> None:
    for text in (dictionary(tables), entities(tables)):
        assert not re.search(r"\{\{|\{%|\bNone\b|doc\(", text)


def test_foreign_keys_lead_to_the_primary_key_of_a_public_table(tables: list[Table]) -> None:
    keys = {table.name: table.key.name for table in tables}
    for table in tables:
        for column in table.columns:
            if column.references:
                assert keys[column.references.table] == column.references.field, table.name


def test_anchors_exist_once(tables: list[Table]) -> None:
    headings = re.findall(r"^#+ (.+)$", dictionary(tables), re.M)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors)
    for text, page in ((dictionary(tables), ""), (entities(tables), "dictionary.md")):
        assert set(re.findall(rf"\]\({page}#([^)]+)\)", text)) <= set(anchors)


def test_primary_keys_are_unique_and_filled(tables: list[Table]) -> None:
    """Of tables by a constraint, of views by a test."""
    for table in tables:
        assert table.key.is_unique, table.name
        assert table.key.is_filled, table.name


def test_every_mart_is_drawn_or_named_once(tables: list[Table]) -> None:
    text = entities(tables)
    drawn = re.findall(r"^    (\w+) \{$", text, re.M) + re.findall(r"dictionary\.md#(\w+)", text)
    assert sorted(drawn) == sorted(one.name for one in tables if one.schema == "marts")


def test_lines_tell_how_many() -> None:
    """One to many, or to one where the foreign key is unique; none where it may be NULL."""

    def table(name: str, *columns: Column) -> Table:
        return Table("marts", "core", name, f"{name}.sql", "one row", "One row.", list(columns))

    def column(name: str, to: str | None = None, *, unique: bool, filled: bool) -> Column:
        reference = Reference(to, "a_key") if to else None
        return Column(name, "varchar", "A | B", unique, filled, reference)

    tables = [
        table("a", column("a_key", unique=True, filled=True)),
        table(
            "b",
            column("b_key", "a", unique=True, filled=True),
            column("first_key", "a", unique=False, filled=True),
            column("second_key", "a", unique=False, filled=False),
            column("text", unique=False, filled=False),
        ),
        table("c", column("c_key", unique=True, filled=True)),
    ]
    diagram = re.search(r"```mermaid\n(.*?)```\n(.*)", entities(tables), re.S)
    assert diagram
    assert diagram[1] == (
        "erDiagram\n"
        "    a {\n"
        "        varchar a_key PK\n"
        "    }\n"
        "    b {\n"
        "        varchar b_key PK, FK\n"
        "        varchar first_key FK\n"
        "        varchar second_key FK\n"
        "    }\n"
        "    a ||--o| b : b_key\n"
        "    a ||--o{ b : first_key\n"
        "    a |o--o{ b : second_key\n"
    )
    assert diagram[2].strip() == "Without a foreign key: [c](dictionary.md#c)."
    assert r"| `text` | varchar |  | A \| B |" in dictionary(tables)
