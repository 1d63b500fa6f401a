"""What readers of the code have said of places in the packages: labels.jsonl, one a line.

- `release`, `path`, `line`: where the object is touched;
- `code`: the rule that says so, "" where none does;
- `thread`: which thread or handler comes there, and where it begins; `loop`: which loop the object belongs to;
- `fix`: what would be right;
- `verdict`: "true" where that can happen, "false" where it cannot, "unsure" where the code does not tell;
- `harm`, of a true one: "hang", "lost" (a value or an exception), "late" (until the loop's next event) or "harmless";
- `confidence`: how sure the readers are; `reason`: why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("labels.jsonl")


@dataclass(frozen=True, slots=True)
class Label:
    """A place that was judged."""

    release: str
    path: str
    line: int
    code: str
    thread: str
    loop: str
    fix: str
    verdict: Literal["true", "false", "unsure"]
    harm: Literal["hang", "lost", "late", "harmless"] | None
    confidence: str
    reason: str


def read_labels(file: Path = FILE) -> list[Label]:
    """All labels, in the file's order."""
    return [Label(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]
