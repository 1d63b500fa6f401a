"""No test touches the user's own cache and settings; known gaps are printed at the end, so that nobody forgets them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests.support.cases import known_gaps, read_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is produced to the golden files")


def pytest_configure(config: pytest.Config) -> None:
    # Before any fixture, and for the processes that tests start.
    home = tempfile.mkdtemp()
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ.update(XDG_CACHE_HOME=f"{home}/cache", XDG_CONFIG_HOME=f"{home}/settings")
    for name in ("LOOPSAFE_CACHE_DIR", "LOOPSAFE_CACHE_SIZE", "LOOPSAFE_LOCK_SECONDS"):
        os.environ.pop(name, None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kinds = Counter(expected.kind for _, expected in known_gaps(read_cases(Path(__file__).parent / "cases")))
    counts = f"{kinds['missing']} missed alarms, {kinds['false-alarm']} false alarms"
    terminalreporter.write_line(f"known gaps in tests/cases: {counts}")
