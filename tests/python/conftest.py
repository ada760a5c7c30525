"""Fixtures that several test files share, and the order of the files."""

import fcntl
import os
import shutil
import signal

import pytest
from building import Build, run_command

# Started in the background, tests ignore Ctrl-C, and so would the commands that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the file that takes longest, so that no worker is left alone with it."""
    items.sort(key=lambda item: item.path.name != "test_stories.py")


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample export, built from nothing as `make build` does it.

    One worker builds it and each has a copy: some tests write to the warehouse, which DuckDB lets
    nobody do while others read.
    """
    shared = own = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = own.parent
    export, first = shared / "sample/export", shared / "sample/warehouse"
    with (shared / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            run_command("generate", "--output", export, warehouse=first)
            run_command("build", "--source", export, warehouse=first)
    return Build(export, shutil.copytree(first, own / "sample_copy"))
