"""The Markdown of the rules as markup: headings, paragraphs, lists, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from loopsafe.render.pages.page import text

_CODE = re.compile(r"`([^`]+)`")


def inline(said: str) -> str:
    """A text in which code stands between backquotes."""
    return _CODE.sub(r"<code>\1</code>", text(said))


def from_markdown(said: str) -> Iterator[str]:
    """The markup of a page, but for its title."""
    for number, part in enumerate(re.split(r"(?m)^```.*\n?", said)):
        if number % 2:
            # Only a line feed inside `pre` breaks a row; each row is harmless by itself.
            yield from f"<pre>{chr(10).join(map(text, part.rstrip().split(chr(10))))}</pre>".split("\n")
        else:
            yield from _blocks(part)


def _blocks(part: str) -> Iterator[str]:
    for kind, lines in groupby(_items(part), key=lambda item: item[0]):
        if kind == "li":
            yield "<ul>"
            yield from (f"<li>{inline(line)}</li>" for _, line in lines)
            yield "</ul>"
        else:
            yield from (f"<{kind}>{inline(line)}</{kind}>" for _, line in lines)


def _items(part: str) -> Iterator[tuple[str, str]]:
    """Headings, points and paragraphs, each on one line."""
    for block in map(str.strip, re.split(r"\n(?=\n|#|- )", part)):
        if block.startswith("## "):
            title, _, rest = block.partition("\n")
            yield "h3", title[3:]
            if rest.strip():
                yield "p", " ".join(rest.split())
        elif block.startswith("- "):
            yield "li", " ".join(block[2:].split())
        elif block and not block.startswith("# "):
            yield "p", " ".join(block.split())
