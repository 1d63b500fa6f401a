"""What IPython adds to Python, set aside: each row of a cell stays in its place."""

from __future__ import annotations

import re

from loopsafe.project.sources import NEWLINE

# With these, the rest of the cell is Python still.
_AROUND_PYTHON = frozenset({"time", "timeit", "capture", "prun", "debug", "memit", "mprun", "lprun"})
_CELL = re.compile(r"\s*%%(?P<name>[\w.-]*)")
# `%time f()` runs Python, too.
_LINE = re.compile(
    r"(?P<space>[ \t\f]*)(?:(?P<magic>%(?:time|timeit|prun)[ \t]+)(?!-)(?P<code>\S.*)|[%!?].*|[,;/]\w.*)"
)
_COMPOUND = re.compile(r"(?:async|class|def|for|if|try|while|with)\b|.*\\\Z", re.DOTALL)
_HELP = re.compile(r"(?P<space>[ \t\f]*)[%\w.*\[\]'\"]+\?\??[ \t]*(?:#.*)?")
_ASSIGNED = re.compile(r"(?P<target>[\w.,\[\]'\" \t\f]+?=[ \t]*)(?:!|%(?=\w)).*")
# Whatever may hold a row end, or a bracket that does not count.
_PIECE = re.compile(
    r"""
    (?P<triple>\"{3}|'{3})
    | "(?:[^"\\\r\n]|\\(?:\r\n|.))*"? | '(?:[^'\\\r\n]|\\(?:\r\n|.))*'?
    | \#[^\r\n]*
    | (?P<open>[\[({]) | (?P<close>[\])}])
    | (?P<joined>\\(?:\r\n|\r|\n))
    | (?P<end>\r\n|\r|\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {quotes: re.compile(rf"(?:[^\\]|\\.)*?{quotes}", re.DOTALL) for quotes in ('"""', "'''")}


def plain(cell: str) -> str:
    """A cell without magics, shell commands and questions."""
    if not any(sign in cell for sign in "%!?,;/"):
        return cell
    magic = _CELL.match(cell)
    if magic and magic["name"] not in _AROUND_PYTHON:
        return "".join(NEWLINE.findall(cell))
    parts, place = [], 0
    while place < len(cell):
        end, text = _statement(cell, place, first=place == 0)
        parts.append(text)
        place = end
    return "".join(parts)


def _statement(cell: str, start: int, first: bool) -> tuple[int, str]:
    """Where the logical row ends that begins at `start`, and what to put for it."""
    found = NEWLINE.search(cell, start)
    row = cell[start : found.start() if found else len(cell)]
    text = "" if first and _CELL.match(row) else _without(row)
    if text is None:
        end = _end(cell, start)
        return end, cell[start:end]
    # A command goes on over backslashes.
    end = start + len(row)
    ends = []
    while found:
        ends.append(found.group())
        end = found.end()
        if not row.endswith("\\"):
            break
        found = NEWLINE.search(cell, end)
        row = cell[end : found.start() if found else len(cell)]
        end += len(row)
    return end, text + "".join(ends)


def _without(row: str) -> str | None:
    """A row of Python for one that is none; None for the others."""
    line = _LINE.fullmatch(row)
    if line:
        code = line["code"]
        if not code or _COMPOUND.match(code):
            return f"{line['space']}pass"
        return f"{line['space']}{'0;'.ljust(len(line['magic']))}{code}"
    assigned = _ASSIGNED.fullmatch(row)
    if assigned:
        return f"{assigned['target']}None"
    asked = _HELP.fullmatch(row)
    return f"{asked['space']}pass" if asked else None


def _end(cell: str, place: int) -> int:
    """Where a statement ends, with its row end, by its brackets, strings and backslashes alone."""
    depth = 0
    while piece := _PIECE.search(cell, place):
        place = piece.end()
        if piece["triple"]:
            closing = _CLOSING[piece["triple"]].match(cell, place)
            if closing is None:
                break
            place = closing.end()
        depth = max(0, depth + bool(piece["open"]) - bool(piece["close"]))
        if piece["end"] and not depth:
            return place
    return len(cell)
