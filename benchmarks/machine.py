"""What a benchmark ran on, for the foot of its tables."""

from __future__ import annotations

import os
import platform


def machine() -> str:
    """The machine, and what else it had to do."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"{platform.system()}, Python {platform.python_version()}"
    load = f"load {os.getloadavg()[2]:.1f} in the last quarter of an hour"
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {python}, {load}"
