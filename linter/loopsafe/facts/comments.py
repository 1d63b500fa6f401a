"""`# loopsafe: key=value` comments."""

from __future__ import annotations

import re

from loopsafe.facts.schema import Remark

_REMARK = re.compile(r"#\s*loopsafe:\s*(?P<items>[^#]*)", re.IGNORECASE)
_ITEM = re.compile(r"(?P<key>[a-z][a-z-]*)(?:\s*=\s*(?P<value>[\w.*-]+))?", re.IGNORECASE)


def find_remarks(source: str) -> tuple[Remark, ...]:
    """All remarks of a file, by row."""
    if "loopsafe:" not in source:
        return ()
    found = []
    for row, line in enumerate(source.splitlines(), 1):
        comment = _REMARK.search(line) if "loopsafe:" in line else None
        if comment:
            for item in _ITEM.finditer(comment["items"]):
                found.append(Remark(row, item["key"].lower(), (item["value"] or "").lower()))
    return tuple(found)
