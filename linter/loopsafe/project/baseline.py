"""Findings that are known: a file with a line for each, told by what is wrong and not by where it stands.

A line holds the file, the rule's code, the function's qualified name and the text of the operation, and stands there as
often as there are equal ones. Rows are not in it, so that edits elsewhere change nothing; lines are sorted, so that git
can merge them.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loopsafe.findings import Finding
from loopsafe.project.notebooks import code_at, code_in
from loopsafe.project.places import ConfigError
from loopsafe.project.sources import read_bytes

_HEADER = "# What loopsafe knows and does not report; `loopsafe check --write-baseline` writes it."
_LARGEST = 32_000_000
_SPACE = re.compile(r"\s+|,(?=\s*[)\]}])")


class Entry(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """One known finding. `path` counts from the baseline's folder if the project lies there, else from it."""

    path: str
    code: str
    function: str
    line: str

    @property
    def key(self) -> Entry:
        """The same without what layout and quotes make of the text."""
        return msgspec.structs.replace(self, line=_SPACE.sub("", self.line).replace("'", '"'))


@dataclass(frozen=True, slots=True)
class Sight:
    """From where files are seen: the baseline's file, the project's folder, texts that stand in for files on disk."""

    file: Path
    root: Path
    texts: Mapping[Path, str]

    @property
    def folder(self) -> str:
        """What paths in the baseline are relative to."""
        folder, root = os.path.realpath(self.file.parent), os.path.realpath(self.root)
        return folder if os.path.commonpath([folder, root]) == folder else root

    def entries(self, findings: Iterable[Finding]) -> list[Entry]:
        """What a baseline would say of each finding."""
        outlines: dict[str, Outline] = {}
        found = []
        for finding in findings:
            path = os.path.realpath(finding.location.path)
            if path not in outlines:
                outlines[path] = Outline(self.text(path))
            function = outlines[path].function(finding.location.span.row)
            below = os.path.relpath(path, self.folder).replace(os.sep, "/")
            found.append(Entry(below, finding.code, function, finding.witness[-1].source))
        return found

    def text(self, path: str) -> str:
        """The text of a file as it is analysed; empty where there is none."""
        try:
            if Path(path) in self.texts:
                return code_in(path, self.texts[Path(path)])
            return code_at(path, _LARGEST)
        except (OSError, SyntaxError, ValueError):
            return ""

    def real(self, entry: Entry) -> str:
        """The path of an entry's file."""
        return os.path.realpath(os.path.join(self.folder, entry.path))


class Outline:
    """The functions and classes of a text, by the rows they take."""

    def __init__(self, text: str) -> None:
        self._rows: list[tuple[int, int, str]] = []
        try:
            self._rows += _definitions(ast.parse(text.removeprefix("\ufeff")))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return  # it has been analysed, so this is about another text, of which nothing is known

    def function(self, row: int) -> str:
        """The qualified name of the innermost function or class around a row; empty outside of all."""
        around = [(first, name) for first, last, name in self._rows if first <= row <= last]
        return max(around, default=(0, ""))[1]

    @property
    def names(self) -> set[str]:
        """All qualified names, and the empty one of the module."""
        return {"", *(name for _, _, name in self._rows)}


def _definitions(tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, above = pending.pop()
        for child in ast.iter_child_nodes(node):
            name = above
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{above}.{child.name}" if above else child.name
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                yield first, child.end_lineno or first, name
            pending.append((child, name))


def read(file: Path, shown: str) -> list[tuple[int, Entry]]:
    """The entries of a baseline, each with its row.

    Raises:
        ConfigError: it cannot be read, or a line is none of a baseline.
    """
    try:
        text = read_bytes(str(file), _LARGEST).decode("utf-8")
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise ConfigError(f"{shown}: the baseline cannot be read: {told}") from error
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append((row, msgspec.convert(json.loads(line), Entry)))
            except (ValueError, RecursionError) as error:
                raise ConfigError(f"{shown}:{row}: no line of a baseline: {error}") from error
    return found


def written(entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of a baseline."""
    yield _HEADER
    for entry in sorted(entries):
        # ASCII, which no encoding can spoil and no terminal obeys.
        yield json.dumps(msgspec.structs.asdict(entry))


def compare(findings: Sequence[Finding], known: Sequence[Entry], sight: Sight) -> tuple[list[Finding], list[Entry]]:
    """The findings that no entry knows, and the entries that know none.

    An entry follows its line to another place only where the function or the file that it names is no more.
    """
    matching = _Matching(zip(findings, sight.entries(findings), strict=True), known)
    matching.match(lambda entry: entry.key, lambda _entry: True)
    outlines: dict[str, set[str]] = {}

    def gone(entry: Entry) -> bool:
        path = sight.real(entry)
        return Path(path) not in sight.texts and not os.path.exists(path)

    def function_gone(entry: Entry) -> bool:
        path = sight.real(entry)
        if gone(entry) or not path.startswith(os.path.join(sight.folder, "")):
            return False
        if path not in outlines:
            outlines[path] = Outline(sight.text(path)).names
        return entry.function not in outlines[path]

    matching.match(lambda entry: msgspec.structs.replace(entry.key, path=""), gone)
    matching.match(lambda entry: msgspec.structs.replace(entry.key, function=""), function_gone)
    return matching.findings(), sorted(matching.left.elements())


class _Matching:
    """Findings and entries that have not found each other yet."""

    def __init__(self, found: Iterable[tuple[Finding, Entry]], known: Iterable[Entry]) -> None:
        self._found = list(found)
        self.left = Counter(known)

    def match(self, key: Callable[[Entry], Entry], may: Callable[[Entry], bool]) -> None:
        """Take away what has the same key, of the entries that may."""
        known: dict[Entry, list[Entry]] = defaultdict(list)
        for entry in sorted(self.left.elements(), reverse=True):
            if self._found and may(entry):
                known[key(entry)].append(entry)
        kept = []
        for finding, own in self._found:
            equal = known.get(key(own))
            if equal:
                self.left[equal.pop()] -= 1
            else:
                kept.append((finding, own))
        self._found = kept
        self.left = +self.left

    def findings(self) -> list[Finding]:
        """Those that are left."""
        return [finding for finding, _ in self._found]
