"""Facts about the machine, without which a figure says nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine_facts() -> dict[str, str]:
    """Return what a reader needs to judge the figures, without names of people or hosts."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    load = os.getloadavg()[0]
    return {
        "processors": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(
            f"{name} {version(name)}" for name in ("duckdb", "dbt-core", "dbt-duckdb")
        ),
        "load when the runs began": f"{load:.1f} (others may have used the machine too)",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
