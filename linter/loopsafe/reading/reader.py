"""All files of a project, with the facts of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from loopsafe.cache.store import digest
from loopsafe.facts.extract import extract
from loopsafe.facts.room import one_room
from loopsafe.facts.schema import FileFacts, SyntaxProblem
from loopsafe.findings import Problem
from loopsafe.locations import Cells, Location, Span, located
from loopsafe.progress import READING, Progress
from loopsafe.project.files import SourceFile
from loopsafe.project.notebooks import is_notebook, source_of, text_of
from loopsafe.project.sources import LARGEST, read_bytes, too_large
from loopsafe.reading.helpers import helped, shared_out
from loopsafe.reading.kept import Known, Nothing, digest_of
from loopsafe.reading.packed import pack, unpack
from loopsafe.stopwatch import Stopwatch

# The facts of files as they were, by path and digest: no two files may share theirs.
Memory: TypeAlias = MutableMapping[tuple[str, bytes], FileFacts]
Look: TypeAlias = tuple[bool, frozenset[str]]
"""Of a file that is only looked into: whether it starts threads, and what it imports."""
Looks: TypeAlias = dict[tuple[str, int, int], Look]
"""By path, time of the last change and size."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file that could be read: its text and facts, and the cells of a notebook."""

    file: SourceFile
    text: str
    facts: FileFacts
    cells: Cells = ()

    def place(self, span: Span) -> Location:
        """A place in it, as it is shown."""
        return located(self.file.shown, span, self.cells)

    def problem(self, row: int, column: int, message: str) -> Problem:
        """What is wrong at a place in it."""
        return problem_at(self.file.shown, row, column, message, self.cells)


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's text, the size of what is on disk, 0 where the text stands in for that, and what facts are kept by."""

    file: SourceFile
    text: str
    size: int
    digest: bytes
    cells: Cells = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads files. `read` gives a file's content by its path, up to so many bytes; `known` has facts from before.

    With `helpers`, other processes take their share of much work. `watch` takes the time of each stage. `memory` and
    `looks` are for those who read the same files several times.
    """

    read: Callable[[str, int], bytes] = read_bytes
    known: Known = field(default_factory=Nothing)
    helpers: bool = True
    watch: Stopwatch = field(default_factory=Stopwatch)
    memory: Memory | None = None
    looks: Looks | None = None

    def read_all(
        self,
        files: Sequence[SourceFile],
        texts: Mapping[str, str],
        progress: Progress | None = None,
        largest: int = LARGEST,
    ) -> tuple[list[Read], list[Problem]]:
        """Those that can be read, in order, and why the others cannot, if they are the project's own.

        No file may have more than `largest` bytes.
        """
        problems: dict[SourceFile, Problem] = {}
        opened: list[_Text] = []
        for file in files:
            text = texts.get(file.path)
            outcome = self._open(file, largest) if text is None else _standing_in(file, text, largest)
            if isinstance(outcome, Problem):
                problems[file] = outcome
            else:
                opened.append(outcome)
        found: dict[SourceFile, Read] = {}
        with one_room():
            for done, (one, facts) in enumerate(self._facts_of(opened, largest), 1 + len(problems)):
                if isinstance(facts, Problem):
                    problems[one.file] = facts
                else:
                    found[one.file] = Read(one.file, one.text, facts, one.cells)
                    if self.memory is not None:
                        self.memory[one.file.path, one.digest] = facts
                if progress:
                    progress(READING, done, len(files))
        told = [problems[file] for file in files if file in problems and file.own]
        return [found[file] for file in files if file in found], told

    def _open(self, file: SourceFile, largest: int) -> _Text | Problem:
        try:
            with self.watch.stage("read"):
                content = self.read(file.path, largest)
                source, cells = source_of(file.path, content)
                return _Text(file, source.text, len(content), digest_of(file.path, content, source), cells)
        except OSError as error:
            told = f"cannot be read: {error.strerror or error}"
        except SyntaxError as error:
            told = f"{error.msg}"
        except MemoryError:
            told = "cannot be read: too large for the memory there is"
        return Problem(file.shown, 0, 0, told)

    def _facts_of(self, opened: Sequence[_Text], largest: int) -> Iterator[tuple[_Text, FileFacts | Problem]]:
        """The facts of each, in any order: the helpers' share comes last."""
        new = {}
        for text in opened:
            facts = (self.memory or {}).get((text.file.path, text.digest)) or unpack(self.known.get(text.digest))
            if facts is not None:
                yield text, facts
            else:
                new[text.file.path] = text
        sizes = {path: text.size for path, text in new.items() if text.size}
        _, *others = shared_out(sizes) if self.helpers else ([],)
        theirs = {path for share in others for path in share}
        with helped(others, largest) as helpers:
            for path, text in new.items():
                if path not in theirs:
                    yield text, self._extract(text)
            results = helpers.results()
            for path in sorted(theirs):
                yield new[path], self._from(results, new[path])

    def _from(self, results: Mapping[bytes, bytes], text: _Text) -> FileFacts | Problem:
        packed = results.get(text.digest)
        facts = unpack(packed)
        if packed is None or facts is None:
            return self._extract(text)
        self.known.add(text.digest, packed)
        return facts

    def _extract(self, text: _Text) -> FileFacts | Problem:
        file = text.file
        try:
            with self.watch.stage("facts", file.shown):
                facts = extract(text.text, file.shown)
        except SyntaxProblem as error:
            return problem_at(file.shown, error.row, error.column, error.message, text.cells)
        if not isinstance(self.known, Nothing):
            packed = pack(facts)
            if packed is not None:
                self.known.add(text.digest, packed)
        return facts


def problem_at(path: str, row: int, column: int, message: str, cells: Cells) -> Problem:
    """What is wrong in a file; where it is a notebook, no row of the file is meant, and the message tells the cell."""
    if row and cells:
        place = located(path, Span(row, column, row, column), cells)
        return Problem(path, 0, 0, f"{place.told}: {message}")
    return Problem(path, row, column, message)


def _standing_in(file: SourceFile, text: str, largest: int) -> _Text | Problem:
    """A text that is not read from its file is held to the same limit."""
    if len(text) > largest:
        return Problem(file.shown, 0, 0, f"cannot be read: {too_large(largest)}")
    if is_notebook(file.path):
        try:
            code, cells = text_of(text)
        except SyntaxError as error:
            return Problem(file.shown, 0, 0, f"{error.msg}")
        return _Text(file, code, 0, _digest(code), cells)
    return _Text(file, text, 0, _digest(text))


def _digest(text: str) -> bytes:
    # Apart from those of bytes, which may be another text in another encoding.
    return digest(b"text:" + text.encode("utf-8", "surrogatepass"))
