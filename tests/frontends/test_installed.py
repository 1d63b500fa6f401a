"""Installed packages, read where the configuration names their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clock import CLOCK
from tests.support.command_line import Cli

LIBRARY = """\
import threading


class Ticker:
    def __init__(self, on_tick) -> None:
        self._on_tick = on_tick

    def start(self) -> None:
        threading.Thread(target=self._run).start()

    def _run(self) -> None:
        self._on_tick(1)
"""


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    """A folder with one package that the project imports and one that it does not."""
    folder = tmp_path / ".venv" / "site-packages"
    for name in ("tickers", "unused"):
        (folder / name).mkdir(parents=True)
    (folder / "tickers" / "__init__.py").write_text("from .core import Ticker\n")
    (folder / "tickers" / "core.py").write_text(LIBRARY)
    (folder / "unused" / "__init__.py").write_text("def broken(:\n")
    (tmp_path / "clock.py").write_text(CLOCK)
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    return folder


def test_they_are_not_read_unless_asked_for(cli: Cli, site_packages: Path) -> None:
    assert cli("check").returncode == 0


@pytest.mark.parametrize("written", [".venv/site-packages", "{}"])
def test_a_thread_that_a_library_starts(written: str, cli: Cli, site_packages: Path) -> None:
    folder = written.format(site_packages)
    (site_packages.parents[1] / "pyproject.toml").write_text(f'[tool.loopsafe]\nsite-packages = ["{folder}"]\n')
    done = cli("check")
    assert done.returncode == 1
    assert "clock.py:15:9: LSF102" in done.stdout
    assert "core.py:9:9" in done.stdout
    assert cli("check", "--output-format", "concise").stdout.count("\n") == 1


def test_a_folder_that_does_not_exist(cli: Cli, site_packages: Path) -> None:
    (site_packages.parents[1] / "pyproject.toml").write_text('[tool.loopsafe]\nsite-packages = ["nowhere"]\n')
    done = cli("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "site-packages" in done.stderr
    assert "nowhere" in done.stderr
