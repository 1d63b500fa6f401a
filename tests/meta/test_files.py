"""Files hold nothing of the machine they were written on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.scripts import ROOT

TEXT = {".py", ".pyi", ".md", ".toml", ".yaml", ".yml", ".json", ".cfg", ".ini", ".txt", ".sh", ".sarif", ""}
# A path below a home folder, but for the invented `/home/me/`. In pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(r"(?<![\w.<>])/(?:" + "|".join(("root", "work", "home", "Users")) + r")/(?!me/)[\w.]")


def text_files() -> Iterator[Path]:
    for file in sorted(ROOT.rglob("*")):
        inside = file.relative_to(ROOT).parts
        hidden = any(part.startswith(".") or part in ("__pycache__", "node_modules") for part in inside[:-1])
        # In a worktree `.git` is a file, with a path.
        if file.is_file() and not hidden and file.suffix in TEXT and file.name != ".git":
            yield file


def test_no_machine_paths() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{row}"
        for file in text_files()
        for row, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found
