"""Fixtures that several test files share."""

import pytest
from building import Build, run_command


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample export, built from nothing as `make build` does it."""
    folder = tmp_path_factory.mktemp("sample")
    build = Build(folder / "export", folder / "warehouse")
    run_command("generate", "--output", build.source, warehouse=build.warehouse)
    run_command("build", "--source", build.source, warehouse=build.warehouse)
    return build
