"""Labelled bugs: facts about where a released package is known to touch a loop from the wrong thread."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("labels.jsonl")
# No thread is visible anywhere in the package: such a case needs knowledge of the library or of its users.
NO_VISIBLE_ORIGIN = "not visible"


@dataclass(frozen=True, slots=True)
class Label:
    """One case. `lines` each hold an offending call; `if_missed` says why it cannot be found, where that is known."""

    id: str
    release: str
    path: str
    lines: tuple[int, ...]
    origin: str
    scope: str
    framework: str
    if_missed: str = ""

    @property
    def visible(self) -> bool:
        """Whether code in the package shows how the call gets onto the thread."""
        return self.scope != NO_VISIBLE_ORIGIN


def read_labels(file: Path = FILE) -> list[Label]:
    """All cases, in the file's order."""
    return [_label(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def _label(entry: dict[str, Any]) -> Label:
    return Label(**{**entry, "lines": tuple(entry["lines"])})
