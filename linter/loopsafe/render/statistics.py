"""How many findings each rule has, in place of the findings themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from loopsafe.render.as_json import written
from loopsafe.render.results import Results


def _counted(results: Results) -> list[tuple[str, str, int]]:
    """Code, name and number, the greatest number first."""
    counts = Counter((finding.code, finding.name) for finding in results.findings)
    return sorted(((code, name, count) for (code, name), count in counts.items()), key=lambda row: (-row[2], row[0]))


def render(results: Results) -> Iterator[str]:
    """A line a rule: number, code, name."""
    rows = _counted(results)
    width = max((len(str(count)) for _, _, count in rows), default=0)
    return (f"{count:>{width}}  {code}  {name}" for code, name, count in rows)


def render_json(results: Results) -> Iterator[str]:
    """The same as one JSON list of objects."""
    rows = _counted(results)
    yield written([{"code": code, "name": name, "count": count} for code, name, count in rows])
