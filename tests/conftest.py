"""Known gaps are printed at the end of every run, so that nobody forgets them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.cases import known_gaps, read_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is produced to the golden files")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kinds = Counter(expected.kind for _, expected in known_gaps(read_cases(Path(__file__).parent / "cases")))
    counts = f"{kinds['missing']} missed alarms, {kinds['false-alarm']} false alarms"
    terminalreporter.write_line(f"known gaps in tests/cases: {counts}")
