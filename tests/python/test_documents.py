"""Every query in the documents runs on the sample and gives the result printed below it.

`UPDATE_DOCUMENTS=1 pytest tests/python/test_documents.py` prints the results anew: read the diff.
"""

import os
import re
from pathlib import Path

import duckdb
import pytest
from building import ROOT, Build

DOCUMENTS = ["README.md"]
# A query, and the table that follows it, if any.
QUERY = re.compile(r"(?<=```sql\n)(?P<sql>.*?)```\n(?:\n(?P<result>(?:\|[^\n]*\n)+))?", re.DOTALL)


def table(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The result of a query as a Markdown table."""
    result = connection.execute(sql)
    names = [column[0] for column in result.description or []]
    rows = [["" if value is None else str(value) for value in row] for row in result.fetchall()]
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(escaped(cell) for cell in line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Text as Markdown shows it: nothing in it is markup, and it is one line."""
    text = " ".join(text.splitlines())
    return re.sub(r"([\\|<>*_`{}\[\]])", r"\\\1", text) if re.search(r"[|<`*{[]", text) else text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_queries_give_the_printed_results(name: str, sample_build: Build) -> None:
    path = ROOT / name
    with duckdb.connect(str(sample_build.published), read_only=True) as connection:

        def renewed(query: re.Match[str]) -> str:
            return f"{query['sql']}```\n\n{table(connection, query['sql'])}"

        text = path.read_text()
        assert QUERY.search(text), f"{name} has no query"
        current = QUERY.sub(renewed, text)
    if os.environ.get("UPDATE_DOCUMENTS") and text != current:
        path.write_text(current)
    assert text == current


def test_links_lead_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
        if not (document.parent / Path(target)).exists()
    ]
    assert not broken


def test_the_readme_lists_every_public_table(sample_build: Build) -> None:
    with duckdb.connect(str(sample_build.published), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    readme = (ROOT / "README.md").read_text()
    assert {name for (name,) in tables} == set(re.findall(r"^\| `(\w+\.\w+)` \|", readme, re.M))
