"""Check that every link inside a built site leads to a file, or an anchor, that is there; exit 1 where one does not.

Pages may also ask for nothing from elsewhere: no script, style, font or picture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": "src", "img": "src", "source": "srcset", "iframe": "src"}


@dataclass
class Read(HTMLParser):
    """The links of a page, what it loads, and its anchors."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this element links to, loads or names."""
        said = {name: value or "" for name, value in attrs}
        self.anchors.update(said[name] for name in ("id", "name") if name in said)
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        if tag == "link" and said.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(said.get("href", ""))
        if _LOADED.get(tag) in said:
            self.loaded.append(said[_LOADED[tag]])


def read(file: Path) -> Read:
    """A page of the site."""
    page = Read()
    page.feed(file.read_text("utf-8"))
    return page


def broken(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, and for what is loaded from elsewhere."""
    pages = {file: read(file) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        # The page for what is not found is served at any address.
        if file.name == "404.html":
            continue
        name = file.relative_to(site)
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    yield f"{name}: loads {link}"
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{name}: {link} is not there"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name}: {link} has no such anchor"


def main() -> int:
    """The command."""
    site = Path(sys.argv[1]).resolve()
    found = list(broken(site))
    print(*found or [f"all links of {len(list(site.rglob('*.html')))} pages lead somewhere"], sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
