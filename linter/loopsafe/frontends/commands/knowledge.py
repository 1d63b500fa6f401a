"""`loopsafe knowledge`: which packs there are, and what one says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from loopsafe.frontends.settings import nearest
from loopsafe.frontends.terminal import CannotWork, drawn, wants_colour, write
from loopsafe.harmless import printable, printable_lines
from loopsafe.knowledge.load import KnowledgeError, PackFile, pack_files
from loopsafe.knowledge.schema import Pack, Row
from loopsafe.project.config import ConfigError, load_config
from loopsafe.render.as_json import written


def list_packs(output_format: str = "text", containing: str = "") -> int:
    """Print a line for each pack: library, number of rows, the version read and, where not loopsafe, who ships it.

    Only of those whose library, or module, contains this.

    Raises:
        CannotWork: the configuration or a pack cannot be used.
    """
    files = [file for file in _all_files() if _contains(file.pack, containing.lower())]
    if output_format == "json":
        write([written([_told(file) for file in files])])
        return 0
    width = max((len(file.pack.library) for file in files), default=0)
    write(printable(_line(file, width)) for file in files)
    return 0


def _contains(pack: Pack, word: str) -> bool:
    return any(word in name.lower() for name in (pack.library, *pack.imports))


def _told(file: PackFile) -> dict[str, object]:
    pack = file.pack
    rows = sum(1 for _ in _rows(pack))
    told = {"library": pack.library, "imports": pack.imports, "rows": rows, "version": pack.version}
    return {**told, "shipped_by": file.shipped_by}


def show_pack(library: str) -> int:
    """Print the packs of this library, as they are written.

    Raises:
        CannotWork: there is no such pack, or the configuration or a pack cannot be used.
    """
    files = _all_files()
    found = [file for file in files if _is_about(file.pack, library)]
    if not found:
        known = (file.pack.library for file in files)
        raise CannotWork(f"no pack is about `{library}`{nearest(library, known)}")
    # Made harmless before it is coloured; with spaces for tabs, which a table may be laid out with.
    text = printable_lines("\n".join(file.text for file in found).rstrip().expandtabs())
    if not wants_colour(sys.stdout):
        write([text])
        return 0

    # Only a terminal pays for loading rich.
    from rich.syntax import Syntax

    write(drawn(Syntax(text, "toml", background_color="default", word_wrap=True)), colour=True)
    return 0


def _all_files() -> list[PackFile]:
    try:
        config = load_config(Path())
        files = list(pack_files(config.root / path for path in config.knowledge))
    except (ConfigError, KnowledgeError) as error:
        raise CannotWork(str(error)) from error
    return sorted(files, key=lambda file: file.pack.library.lower())


def _line(file: PackFile, width: int) -> str:
    shipped = "" if file.shipped_by == "loopsafe" else f"  (from {file.shipped_by})"
    return f"{file.pack.library:<{width}}  {sum(1 for _ in _rows(file.pack)):>4} rows  {file.pack.version}{shipped}"


def _rows(pack: Pack) -> Iterator[Row]:
    for table in msgspec.structs.astuple(pack):
        yield from (row for row in table if isinstance(row, Row))


def _is_about(pack: Pack, library: str) -> bool:
    wanted = library.lower().replace("_", "-")
    return wanted in (name.lower().replace("_", "-") for name in (pack.library, *pack.imports))
