"""Golden files, and the command line run as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import Cli, loopsafe_in


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a golden file; with `--update-golden`, write the file instead."""
    update = request.config.getoption("--update-golden")
    folder = request.path.parent / "golden"

    def compare(name: str, text: str) -> None:
        file = folder / name
        if update:
            folder.mkdir(exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
        expected = file.read_bytes().decode()
        assert text == expected, f"if this is meant, run pytest --update-golden {request.path.name}"

    return compare


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run `loopsafe ARGUMENTS` in the test's own folder; `stdin` and `env` may be given."""
    return loopsafe_in(tmp_path)
