"""A change as a unified diff: for `patch -p1` and `git apply` byte for byte, for people harmless to look at.

Paths are those from the root of the git repository, else from the working directory.
"""

from __future__ import annotations

import difflib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from loopsafe.frontends.changes import Change
from loopsafe.harmless import printable
from loopsafe.project.sources import decode
from loopsafe.render.painting import painter

_STYLES = {"+++": "bold", "---": "bold", "@@ ": "cyan", "+": "green", "-": "red"}
_UNENDED = "\\ No newline at end of file"
# Anything else in a quoted name is written by its number, so that nothing of it can be taken for a command.
_PLAIN = re.compile(rb"[^\w ./+=@,~-]", re.ASCII)


def applicable(change: Change) -> Iterator[bytes]:
    """The lines in the file's own bytes, with their ends."""
    was, now = map(_quoted, _names(change.path))
    old, new = (io.BytesIO(content).readlines() for content in (change.before, change.after))
    for line in difflib.diff_bytes(difflib.unified_diff, old, new, was, now):
        yield line if line.endswith(b"\n") else line + f"\n{_UNENDED}\n".encode()


def _names(path: str) -> tuple[str, str]:
    """What git calls a file before and after a change."""
    file = Path(os.path.abspath(path))
    root = next((folder for folder in file.parents if (folder / ".git").exists()), Path.cwd())
    inside = file.relative_to(root) if file.is_relative_to(root) else Path(path)
    return f"a/{inside.as_posix()}", f"b/{inside.as_posix()}"


def _quoted(path: str) -> bytes:
    """A file's name as git writes it in a diff, and `patch` and `git apply` read it."""
    name = os.fsencode(path)
    if printable(path) != path or '"' in path or "\\" in path:
        return b'"%s"' % _PLAIN.sub(lambda char: b"\\%03o" % ord(char[0]), name)
    # A tab ends a name that has spaces in it.
    return name + b"\t" if b" " in name else name


def pictured(change: Change, colour: bool) -> Iterator[str]:
    """The lines as a terminal may show them, without their ends."""
    paint, (was, now) = painter(colour), map(printable, _names(change.path))
    for line in difflib.unified_diff(_rows(decode(change.before).text), _rows(change.text), was, now):
        style = next((style for start, style in _STYLES.items() if line.startswith(start)), "")
        # Spaces for tabs, as a terminal would draw them; the carriage return of a line's end draws nothing.
        yield paint([(line.removesuffix("\n").removesuffix("\r").expandtabs(), style)])
        if not line.endswith("\n"):
            yield _UNENDED


def _rows(source: str) -> list[str]:
    # Only line feeds end a row of a diff; str.splitlines() would also cut at form feeds and lone carriage returns.
    return io.StringIO(source, newline="\n").readlines()
