"""Whole fixes in Markdown: what the analysis offers for a file, and the text that comes out.

A case is a `## heading`, prose, and one or two Python blocks: the file before, and after where anything changes. In the
first, comments say which fix is offered for the finding on their row; they are no part of the file:

    # fix: safe
    # fix: unsafe, the reason
    # fix: declined, the reason

All that is offered, safe and unsafe, is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
_FIX = re.compile(r"  # fix: (?P<kind>\w+)(?:, (?P<reason>.+))?$")


@dataclass(frozen=True, slots=True)
class RemedyCase:
    """One case: the text before and after, and (row, applicability, reason) of each fix offered."""

    name: str
    before: str
    after: str
    fixes: tuple[tuple[int, str, str], ...]

    def __str__(self) -> str:
        return self.name


def read_remedies(folder: Path) -> list[RemedyCase]:
    """All cases of the folder's `*.md` files, in order."""
    return [case for file in sorted(folder.glob("*.md")) for case in _read(file)]


def _read(file: Path) -> Iterator[RemedyCase]:
    for section in re.split(r"^## ", file.read_text("utf-8"), flags=re.M)[1:]:
        title, body = section.split("\n", 1)
        marked, *after = _BLOCK.findall(body)
        rows = marked.split("\n")
        found = [(row, match) for row, line in enumerate(rows, 1) if (match := _FIX.search(line))]
        before = "\n".join(_FIX.sub("", line) for line in rows)
        assert found, f"{file.stem}: {title} marks no fix"
        fixes = tuple((row, match["kind"], match["reason"] or "") for row, match in found)
        yield RemedyCase(f"{file.stem}: {title}", before, after[0] if after else before, fixes)
