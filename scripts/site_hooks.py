"""What MkDocs does beside its settings: README.md as the first page, the rules, and links that lead out of docs/.

Code and examples are no part of the site. What links to them keeps its text and loses the link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"(?ms)^```.*?^```$")


def on_config(config: Any) -> Any:  # noqa: ANN401
    """Put a page for each rule into the navigation."""
    pages = sorted(path.name for path in (ROOT / "docs" / "rules").glob("LSF*.md"))
    [rules] = [part["Rules"] for part in config["nav"] if isinstance(part, dict) and "Rules" in part]
    rules += [{page[:6]: f"rules/{page}"} for page in pages]
    return config


def on_files(files: Any, config: Any) -> Any:  # noqa: ANN401
    """Make the first page of README.md, as if it stood in docs/."""
    from mkdocs.structure.files import File

    said = (ROOT / "README.md").read_text("utf-8")
    files.append(File.generated(config, "index.md", content=re.sub(r"""(?<=[("])docs/""", "", said)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:  # noqa: ANN401
    """Take away links to what is no part of the site."""
    folder = posixpath.dirname(page.file.src_uri)
    parts = _FENCE.split(markdown)
    fences = [*_FENCE.findall(markdown), ""]
    return "".join(_kept(part, folder) + fence for part, fence in zip(parts, fences, strict=True))


def _kept(markdown: str, folder: str) -> str:
    def told(link: re.Match[str]) -> str:
        file = link[2].partition("#")[0]
        if not file or "://" in file:
            return link[0]
        target = posixpath.normpath(posixpath.join(folder, file))
        inside = not target.startswith("..") and (ROOT / "docs" / target).is_file()
        # What is nowhere is kept, for MkDocs to complain of.
        elsewhere = (ROOT / "docs" / target).exists() or (folder == "" and (ROOT / target).exists())
        return link[0] if inside or not elsewhere else link[1]

    return _LINK.sub(told, markdown)
