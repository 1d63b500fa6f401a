"""The frame of all pages: what is a page's own goes in as markup, text of a project as data or escaped.

The page allows itself the scripts it is written with, by their hashes, and no address at all: were text of a project
ever taken for markup, a browser would neither run it nor ask anybody for anything.
"""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from loopsafe.harmless import printable, without_commands

_FOLDER = Path(__file__).parent


def text(said: str) -> str:
    """Text of a project as markup that shows it, on one line."""
    return _ascii(html.escape(printable(said)))


def own(file: str) -> str:
    """A script or style sheet that loopsafe is installed with, in ASCII, which no encoding of the output can spoil.

    Elsewhere than in a comment or a string, none of them has other characters.
    """
    content = (_FOLDER / file).read_text("utf-8").rstrip("\n")
    return "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in content)


def page(
    title: str, styles: Sequence[str], body: Iterable[str], scripts: Sequence[str], data: object = None
) -> Iterator[str]:
    """The lines of a page. `styles` and `scripts` are files beside this one; `data` is what the scripts read."""
    sources = [f"\n{own(script)}\n" for script in scripts]
    hashes = " ".join(f"'sha256-{_hash(source)}'" for source in sources) or "'none'"
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<link rel="icon" href="data:,">'
    yield f"<title>{text(title)}</title>"
    for style in styles:
        yield "<style>"
        yield from own(style).split("\n")
        yield "</style>"
    yield "</head>"
    yield "<body>"
    yield from body
    if data is not None:
        yield f'<script type="application/json" id="data">{_embedded(data)}</script>'
    for source in sources:
        yield from f"<script>{source}</script>".split("\n")
    yield "</body>"
    yield "</html>"


def _embedded(data: object) -> str:
    """JSON that cannot end the element it stands in, nor begin another."""
    said = without_commands(json.dumps(data, separators=(",", ":")))
    return said.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(source: str) -> str:
    return b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _ascii(markup: str) -> str:
    return markup.encode("ascii", "xmlcharrefreplace").decode()
