"""The documentation page and what it is made of: the overview, the layers, the exposures."""

import json
import re
from pathlib import Path

import pytest
import yaml
from building import ROOT, Build, run, run_command

from scripts.publish import SCHEMAS

LAYERS = ("staging", "intermediate", "marts", "audit")


def exposures() -> dict[str, set[str]]:
    """Which tables each exposure depends on."""
    declared = yaml.safe_load((ROOT / "models/exposures.yml").read_text())["exposures"]
    return {
        one["name"]: {re.findall(r"\w+", reference)[1] for reference in one["depends_on"]}
        for one in declared
    }


def public_models() -> set[str]:
    return {path.stem for schema in SCHEMAS for path in (ROOT / "models" / schema).rglob("*.sql")}


@pytest.fixture(scope="module")
def page(sample_build: Build) -> str:
    """The page of the sample, made after its publication."""
    before = (sample_build.warehouse / "target/run_results.json").read_bytes()
    summary = json.loads(run_command("docs", "--json", warehouse=sample_build.warehouse))
    # What publishing goes by is as it was.
    assert (sample_build.warehouse / "target/run_results.json").read_bytes() == before
    assert summary["docs"] == str(sample_build.warehouse / "docs/index.html")
    assert summary["tables"] > len(public_models())
    return Path(summary["docs"]).read_text(encoding="utf-8")


def test_the_page_holds_all_it_shows(page: str) -> None:
    assert "INLINE DATA" not in page
    loaded = re.findall(
        r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?((?:https?:)?//[^\"'> ]+)", page
    )
    assert not loaded
    # dbt's own telemetry, which it would fetch from elsewhere.
    assert '"send_anonymous_usage_stats": false' in page
    assert "userpilot-warehouse" in page
    assert str(ROOT) not in page


def test_the_page_knows_the_exposures_and_tables(page: str) -> None:
    for name in exposures():
        assert f'"exposure.userpilot_warehouse.{name}"' in page
    for name in public_models():
        assert f'"model.userpilot_warehouse.{name}"' in page


@pytest.mark.parametrize("loaded", [False, True])
def test_before_a_build_it_says_what_to_run(
    loaded: bool, sample_build: Build, tmp_path: Path
) -> None:
    if loaded:
        run_command("load", "--source", sample_build.source, warehouse=tmp_path)
    result = run("scripts", "docs", warehouse=tmp_path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.strip().endswith("Run `make build` first.")
    assert not (tmp_path / "docs").exists()


def test_the_overview_links_to_models() -> None:
    overview = (ROOT / "models/overview.md").read_text()
    names = re.findall(r"\(#!/model/model\.userpilot_warehouse\.(\w+)\)", overview)
    assert names
    assert set(names) <= public_models()


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_page_and_its_links_lead_somewhere(layer: str) -> None:
    page = ROOT / "models" / layer / "README.md"
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target
    for rule in ("**Grain.**", "**Keys.**", "**Belongs here**", "**Does not belong here**"):
        assert rule in text


@pytest.mark.parametrize(
    ("layer", "pattern"),
    [("staging", "*/*.sql"), ("audit", "*.sql"), ("marts", "*"), ("intermediate", "*")],
)
def test_the_page_of_a_layer_lists_what_is_in_it(layer: str, pattern: str) -> None:
    folder = ROOT / "models" / layer
    there = {path.stem for path in folder.glob(pattern) if path.suffix == ".sql" or path.is_dir()}
    listed = re.findall(r"^\| \[(\w+)\]", (folder / "README.md").read_text(), re.M)
    assert sorted(listed) == sorted(there)


def test_exposures_depend_on_what_they_read() -> None:
    queries = "\n".join(
        path.read_text() for path in sorted((ROOT / "scripts/report").rglob("*.py"))
    )
    datasets = (ROOT / "bi/superset/dashboard/datasets").glob("*.yaml")
    declared = exposures()
    read = set(re.findall(rf"\b(?:{'|'.join(SCHEMAS)})\.(\w+)", queries))
    assert declared["userpilot_report"] == read
    assert declared["superset_dashboard"] == {
        yaml.safe_load(path.read_text())["table_name"] for path in datasets
    }
    assert declared["published_database"] == public_models()
    assert declared["published_parquet"] == public_models()


def test_the_readme_lists_every_document() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in readme
