"""The house rules for models and their YAML, which dbt itself does not check."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from building import ROOT, run_dbt

MODEL_KEYS = {"name", "description", "config", "columns", "data_tests", "time_spine"}
COLUMN_KEYS = {"name", "data_type", "description", "constraints", "data_tests", "granularity"}
PUBLIC = {"marts", "audit"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What dbt makes of the project."""
    warehouse = tmp_path_factory.mktemp("parsed")
    run_dbt("--quiet", "parse", "--no-partial-parse", warehouse=warehouse)
    parsed: dict[str, Any] = json.loads((warehouse / "target/manifest.json").read_text())
    return parsed


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def test_every_model_begins_with_its_grain_and_has_its_yaml_beside_it(
    manifest: dict[str, Any],
) -> None:
    for model in models(manifest):
        path = Path(model["original_file_path"])
        assert model["raw_code"].startswith("-- one row"), path
        assert model["patch_path"], f"{path} has no YAML"
        assert model["patch_path"].endswith(str(path.with_suffix(".yml"))), path
        assert model["description"].startswith("One row"), path


def test_every_public_column_has_type_and_meaning(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        if model["schema"] not in PUBLIC:
            continue
        assert model["config"]["contract"]["enforced"], model["name"]
        for column in model["columns"].values():
            assert column["data_type"], (model["name"], column["name"])
            assert len(column["description"]) > 10, (model["name"], column["name"])


def test_every_public_table_has_a_tested_single_column_key(manifest: dict[str, Any]) -> None:
    tested: dict[str, set[str]] = {}
    for model in models(manifest):
        for name, column in model["columns"].items():
            where = f"{model['unique_id']}.{name}"
            tested[where] = {constraint["type"] for constraint in column["constraints"]}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("test_metadata") and node["column_name"]:
            name = node["test_metadata"]["name"]
            where = f"{node['attached_node']}.{node['column_name']}"
            tested.setdefault(where, set()).add(name)
    for model in models(manifest):
        if model["schema"] in PUBLIC:
            key = next(iter(model["columns"]))
            assert key.endswith("_key"), model["name"]
            assert tested.get(f"{model['unique_id']}.{key}", set()) >= {"unique", "not_null"}, key


def test_constraints_stand_where_a_var_cannot_switch_them_off(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        if any(column["constraints"] for column in model["columns"].values()):
            assert "contract" not in model["raw_code"], model["name"]


def test_every_macro_is_described(manifest: dict[str, Any]) -> None:
    for macro in manifest["macros"].values():
        own = macro["package_name"] == "userpilot_warehouse"
        dispatched = "__" in macro["name"] or macro["name"].startswith("test_")
        if own and not dispatched:
            assert macro["description"], f"{macro['original_file_path']}: {macro['name']}"


def test_no_key_of_a_model_is_misspelled() -> None:
    """dbt reads past a key that it does not know."""
    for path in (ROOT / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            assert set(model) <= MODEL_KEYS, path
            for column in model.get("columns", []):
                assert set(column) <= COLUMN_KEYS, (path, column["name"])
