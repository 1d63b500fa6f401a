"""`loopsafe knowledge`: which packs there are, and what one says."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from loopsafe.frontends.settings import nearest
from loopsafe.frontends.terminal import CannotWork, drawn, wants_colour, write
from loopsafe.harmless import printable, printable_lines
from loopsafe.knowledge.load import KnowledgeError, PackFile, pack_files
from loopsafe.knowledge.schema import Pack, Row
from loopsafe.project.config import Config, ConfigError, load_config
from loopsafe.render.as_json import written
from loopsafe.traces import OFF_LOOP

if TYPE_CHECKING:
    from loopsafe.program.modules import Module


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


def learn(library: str) -> int:
    """Print the rows of a pack that the source of an installed library shows, and return the exit code.

    Raises:
        CannotWork: it is not installed, or the configuration cannot be used.
    """
    from importlib.metadata import distributions

    from loopsafe.frontends.learning import Trial, classes, rows
    from loopsafe.project.environment import environment_of
    from loopsafe.questions import study

    name, environment = library.replace("-", "_"), environment_of(_config())
    folders = environment.folders if environment else ()
    there = (f for f in folders if name and ((Path(f) / name).is_dir() or (Path(f) / f"{name}.py").is_file()))
    folder = next(there, None)
    if folder is None:
        raise CannotWork(
            f"`{name}` is not installed in {environment or 'any environment that is found'}; `loopsafe env`"
        )
    trial, made = Trial(), set[str]()

    def program(modules: Sequence[Module]) -> str:
        for module in modules:
            if not any(part.startswith("_") for part in module.name.split(".")):
                trial.add(module.name, module.facts)
                made.update(f"{module.name}.{s.name}" for s in module.facts.scopes if s.kind == "class")
        return trial.text()

    found = {}
    for trace in study(folder, name, program):
        use = trial.uses.get(trace.function.partition(".")[2])
        reason = next((r for r in trace.reasons if r.context in OFF_LOOP), None)
        if use is not None and reason is not None:
            first = reason.path[0].location
            place = first.path.replace(os.sep, "/").rpartition("site-packages/")[2]
            found[use] = reason.context, reason.certain, f"{library} {place}:{first.span.row}"
    version = next((d.version for d in distributions(name=library, path=[folder])), "unknown")
    head = [f'library = "{library}"', f'version = "{version}"', f'imports = ["{name}"]', ""]
    write(map(printable, [*head, *"\n".join(classes(found, made)).split("\n"), *rows(found)]))
    return 0


def _config() -> Config:
    try:
        return load_config(Path())
    except ConfigError as error:
        raise CannotWork(str(error)) from error


def _all_files() -> list[PackFile]:
    try:
        config = _config()
        files = list(pack_files(config.root / path for path in config.knowledge))
    except KnowledgeError as error:
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
