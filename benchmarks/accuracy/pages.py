"""Write results between the markers of a page; the words around them are written by hand."""

from __future__ import annotations

from pathlib import Path


class NoMarkersError(Exception):
    """A page does not have the markers of a part."""


def fill(page: Path, part: str, text: str) -> None:
    """Replace what stands between `<!-- begin part -->` and `<!-- end part -->`.

    Raises:
        NoMarkersError: the page does not have both.
    """
    page.write_text(filled(page.read_text("utf-8"), part, text), "utf-8")


def filled(content: str, part: str, text: str) -> str:
    """A page's content with another text in a part."""
    begin, end = f"<!-- begin {part} -->", f"<!-- end {part} -->"
    before, opened, rest = content.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise NoMarkersError(part)
    return f"{before}{begin}\n{text}\n{end}{after}"
