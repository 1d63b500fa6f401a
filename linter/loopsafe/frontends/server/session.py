"""What is open in the editor, and when it is looked at: after a pause, and once more if it has changed by then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import traceback
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lsprotocol.types import Diagnostic

from loopsafe.findings import Problem
from loopsafe.frontends.server.actions import Version
from loopsafe.frontends.server.analyst.handle import Analyst
from loopsafe.frontends.server.analyst.messages import (
    Analyse,
    Answer,
    Begun,
    Done,
    Failed,
    Fix,
    Fixed,
    Found,
    Going,
    Places,
    Shifted,
)
from loopsafe.frontends.server.board import Board, Told, View
from loopsafe.frontends.server.diagnostics import Diagnostics, of_problem
from loopsafe.frontends.server.names import Folder, is_installed, path_of, uri_of
from loopsafe.frontends.server.settings import Settings
from loopsafe.frontends.server.texts import Text
from loopsafe.project.notebooks import code_at

_SOON = 0.05


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is open: its text and the version of that."""

    uri: str
    real: str
    version: int
    text: Text


class Editor(Protocol):
    """What the session says to the editor."""

    def publish(self, uri: str, version: int | None, diagnostics: list[Diagnostic]) -> None:
        """The diagnostics of a file from now on."""

    def complain(self, message: str) -> None:
        """Something that the user should know."""

    def note(self, message: str) -> None:
        """Something for the log."""

    def going(self, answer: Going | None) -> None:
        """How far the work is; None when it is over."""

    def renewed(self) -> None:
        """Where functions run is known anew."""


class Session:
    """Everything between the editor and the process that analyses."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._analyst = Analyst(self.hear, self.lose)
        self.board = Board()
        self.settings = Settings()
        self.documents: dict[str, Document] = {}
        self.folders: list[Folder] = []
        self.related = True
        self._number = self._latest = 0
        self._sent: dict[int, dict[str, str]] = {}
        self._pause: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: dict[int, asyncio.Future[Fixed]] = {}
        self._published: dict[str, tuple[int | None, list[Diagnostic]]] = {}
        self._complained: set[str] = set()
        self.told: dict[str, list[Told]] = {}

    # What the editor does.

    def open(self, uri: str, version: int | None, source: str) -> None:
        """A text is opened, or has changed."""
        path = path_of(uri)
        if path is None:
            return
        before = self.documents.get(uri)
        self.documents[uri] = Document(uri, os.path.realpath(path), version or 0, Text(source))
        if before is None:
            self.look(_SOON)
        else:
            self.look(self.settings.delay / 1000)

    def close(self, uri: str) -> None:
        """A text is closed: what is on disk counts again."""
        if self.documents.pop(uri, None) is not None:
            self.look(_SOON)

    def configure(self, settings: Settings) -> None:
        """Other settings hold."""
        if settings != self.settings:
            self.settings = settings
            self._complained.clear()
            self.look(_SOON)

    def place(self, folders: Iterable[Folder]) -> None:
        """The editor shows these folders."""
        self.folders = list(folders)
        if self.folders and not self._analyst.folder:
            self._analyst.folder = self.folders[0].real
        self.look(_SOON)

    def look(self, delay: float = _SOON) -> None:
        """Look at everything after a pause, which begins again with each call."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        if self._pause is not None:
            # A file that is opened meanwhile does not cut the pause of one that is written in short.
            due = max(due, self._pause.when())
            self._pause.cancel()
        self._pause = loop.call_at(due, self._due)

    async def restart(self) -> None:
        """Start the process that analyses anew, with nothing kept."""
        await self._analyst.end()
        self._analyst.worked()
        self.look()

    async def end(self) -> None:
        """Stop all work."""
        if self._pause is not None:
            self._pause.cancel()
        for task in self._tasks:
            task.cancel()
        for future in self._wanted.values():
            future.cancel()
        await self._analyst.end()

    # What is asked.

    @property
    def texts(self) -> dict[str, str]:
        """The texts that are open, by real path."""
        return {document.real: document.text.source for document in self.documents.values()}

    def _paths(self) -> tuple[str, ...]:
        """What is looked at: the folders, and open files that are in none."""
        elsewhere = {document.real for document in self.documents.values()}
        elsewhere = {real for real in elsewhere if not any(folder.has(real) for folder in self.folders)}
        return (*(folder.real for folder in self.folders), *sorted(r for r in elsewhere if not is_installed(r)))

    def _due(self) -> None:
        self._pause = None
        self._number += 1
        texts, paths = self.texts, self._paths()
        self._latest = self._number
        self._sent[self._number] = texts
        if paths:
            self._run(self._analyst.ask(Analyse(self._number, paths, texts, self.settings.selection)))
        else:
            self.hear(Begun(self._number, (), {}))
            self.hear(Done(self._number))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def fix(self, paths: Sequence[str], unsafe: bool = False) -> Fixed:
        """What `loopsafe fix` would make of these paths; nothing where texts have changed by then."""
        self._number += 1
        number, texts = self._number, self.texts
        future = self._wanted[number] = asyncio.get_running_loop().create_future()
        await self._analyst.ask(Fix(number, tuple(paths), texts, self.settings.selection, unsafe))
        try:
            fixed = await future
        finally:
            del self._wanted[number]
        return fixed if self.texts == texts else Fixed(number, {})

    # What is answered.

    def hear(self, answer: Answer) -> None:
        """Take up an answer, unless it is to an old question."""
        if isinstance(answer, Fixed):
            self._settle(answer.number, answer)
        elif isinstance(answer, Failed) and answer.number in self._wanted:
            self._settle(answer.number, Fixed(answer.number, {}, (answer.message,)))
        elif answer.number in self._sent:
            try:
                self._take(answer, self._sent[answer.number])
            except Exception:
                # Nobody would hear of it, and of nothing after it.
                self._editor.complain(f"this is a bug in loopsafe; please report it:\n{traceback.format_exc()}")

    def lose(self, why: str) -> None:
        """No more answers come to what was asked: ask again."""
        self._editor.going(None)
        self._editor.complain(why)
        for number in list(self._wanted):
            self._settle(number, Fixed(number, {}, (why,)))
        self.look()

    def _settle(self, number: int, fixed: Fixed) -> None:
        future = self._wanted.get(number)
        if future is not None and not future.done():
            future.set_result(fixed)

    def _take(self, answer: Answer, texts: Mapping[str, str]) -> None:
        """Take up a part of an answer. That to an outdated question counts, too: what follows builds on it."""
        latest = answer.number == self._latest
        if isinstance(answer, Begun):
            self.board.begin(answer)
        elif isinstance(answer, Found):
            self.board.find(answer, texts)
        elif isinstance(answer, Shifted):
            self.board.shift(answer, texts)
        elif isinstance(answer, Places):
            self.board.place(answer, texts)
        elif isinstance(answer, (Done, Failed)):
            self._sent = {number: texts for number, texts in self._sent.items() if number > answer.number}
        if latest:
            self._show(answer)

    def _show(self, answer: Answer) -> None:
        """Tell the editor what an answer to the latest question means for it."""
        if isinstance(answer, Going):
            self._editor.going(answer)
        elif isinstance(answer, Found):
            self.publish()
        elif isinstance(answer, Places):
            self._editor.renewed()
        elif isinstance(answer, Done):
            self._analyst.worked()
            self._complained.clear()
            self.publish()
            self._editor.going(None)
            self._editor.note("up to date")
        elif isinstance(answer, Failed):
            self._editor.going(None)
            if answer.message not in self._complained:
                self._complained.add(answer.message)
                self._editor.complain(answer.message)

    # What is shown.

    @property
    def view(self) -> View:
        """How places are told: by the texts that are open now."""
        return View(self.board.units, {document.real: document.text for document in self.documents.values()})

    def address(self, real: str) -> str:
        """The address of a file: the one it is open under, else the one the editor would give it."""
        return next((d.uri for d in self.documents.values() if d.real == real), "") or uri_of(real, self.folders)

    def version(self, real: str) -> Version | None:
        """A file as the editor has it; None where it cannot be read, or has changed since it was analysed."""
        document = next((d for d in self.documents.values() if d.real == real), None)
        if document is not None:
            return Version(document.uri, document.version, document.text)
        with contextlib.suppress(OSError, SyntaxError, MemoryError):
            return Version(self.address(real), None, Text(code_at(real)))
        return None

    def publish(self) -> None:
        """Tell of each file what has changed, unless all is about to change again."""
        if self._pause is not None:
            return
        self.told = self.board.told()
        maker = Diagnostics(self.view, self.address, self.related)
        problems = self.board.problems()
        made: dict[str, list[Diagnostic]] = {}
        for real in {*self.told, *problems}:
            if os.path.isdir(real):
                self._note(problems.get(real, ()))
            else:
                told = [maker.of(told) for told in self.told.get(real, ())]
                made[real] = [*told, *(of_problem(problem) for problem in problems.get(real, ()))]
        documents = self.documents.values()
        closed = made.keys() - {document.real for document in documents}
        self._send(
            {self.address(real): (None, made[real]) for real in closed}
            | {document.uri: (document.version, made.get(document.real, [])) for document in documents}
        )

    def _send(self, wanted: dict[str, tuple[int | None, list[Diagnostic]]]) -> None:
        for uri in sorted({*wanted, *self._published}):
            version, diagnostics = wanted.get(uri, (None, []))
            if self._published.get(uri) != (version, diagnostics):
                self._editor.publish(uri, version, diagnostics)
        self._published = wanted

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._editor.note(str(problem))
