"""What can be done about a finding: its fix, a comment that silences it, a comment that says where a function runs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol.types import (
    CodeAction,
    CodeActionDisabled,
    CodeActionKind,
    Diagnostic,
    OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from loopsafe.findings import Edit
from loopsafe.frontends.server.board import Told
from loopsafe.frontends.server.texts import Text, Units
from loopsafe.harmless import printable
from loopsafe.locations import Span
from loopsafe.project.noqa import UNUSED
from loopsafe.project.noqa_edits import Adding, same_code
from loopsafe.project.widths import row_width
from loopsafe.traces import OFF_LOOP, Running

FIX_ALL = "source.fixAll.loopsafe"
_REMARKS = {
    "loop": "only ever runs on the loop",
    "any": "may run anywhere",
}


@dataclass(frozen=True, slots=True)
class Version:
    """A file as the editor has it: its address, and the version of its text, None where it is not open."""

    uri: str
    version: int | None
    text: Text


@dataclass(frozen=True, slots=True)
class Edits:
    """Makes the edits of a workspace; `versioned` ones where the editor can have them."""

    units: Units
    versioned: bool = True

    def of(self, changes: Iterable[tuple[Version, Sequence[Edit]]]) -> WorkspaceEdit:
        """The edits of several files."""
        each = [(file, [self._edit(file.text, edit) for edit in edits]) for file, edits in changes]
        if not self.versioned:
            return WorkspaceEdit(changes={file.uri: edits for file, edits in each})
        return WorkspaceEdit(
            document_changes=[
                TextDocumentEdit(OptionalVersionedTextDocumentIdentifier(file.uri, file.version), list(edits))
                for file, edits in each
            ]
        )

    def _edit(self, text: Text, edit: Edit) -> TextEdit:
        return TextEdit(text.range(edit.span, self.units), edit.content)

    def replacing(self, changes: Iterable[tuple[Version, str]]) -> WorkspaceEdit:
        """The edits that make other texts of several files, row by row."""
        return self.of((file, list(row_edits(file.text.source, text))) for file, text in changes)


def row_edits(old: str, new: str) -> Iterator[Edit]:
    """The rows that differ."""
    before, after = _with_ends(old), _with_ends(new)
    for kind, first, last, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield Edit(_rows_between(before, first, last), "".join(after[start:end]))


def _with_ends(text: str) -> list[str]:
    rows = Text(text).rows
    ends = text[len(rows[0]) :]
    found = []
    for row, following in zip(rows, [*rows[1:], ""], strict=True):
        end = ends[: 2 if ends.startswith("\r\n") else 1]
        found.append(row + end)
        ends = ends[len(end) + len(following) :]
    return found


def _rows_between(rows: Sequence[str], first: int, last: int) -> Span:
    """The span of some rows with their ends. The last one, which has none, ends where the text does."""
    if last < len(rows) or not rows:
        return Span(first + 1, 1, last + 1, 1)
    if first == len(rows):
        column = len(rows[-1]) + 1
        return Span(first, column, first, column)
    return Span(first + 1, 1, len(rows), len(rows[-1]) + 1)


class Actions:
    """The actions for what one file is told. `files` gives the files of findings, None where one is out of date."""

    def __init__(self, edits: Edits, disabled: bool) -> None:
        self._edits, self._disabled = edits, disabled

    def fix(self, told: Told, target: Version, diagnostics: list[Diagnostic]) -> Iterator[CodeAction]:
        """The fix that goes with a finding; if there is none, that and why, where the editor shows such."""
        finding = told.finding
        if finding.fix is None:
            return
        title = f"Fix {finding.code}: {_shortened(finding.message)}"
        reason = finding.fix.reason
        if finding.fix.rewrites:
            # LibCST takes long to load, and most sessions fix nothing.
            from loopsafe.fixes import fix_source

            width = row_width(Path(finding.location.path))
            result = fix_source(target.text.source, [finding.fix], width)
            reason = result.failed[0][1] if result.failed else reason
            if result.edits:
                safe = finding.fix.applicability == "safe"
                yield CodeAction(
                    printable(title if safe else f"{title} (unsafe: {reason})"),
                    kind=CodeActionKind.QuickFix,
                    diagnostics=diagnostics,
                    is_preferred=safe,
                    edit=self._edits.of([(target, result.edits)]),
                )
                return
        if self._disabled:
            why = CodeActionDisabled(printable(reason or "there is nothing to rewrite"))
            yield CodeAction(printable(title), kind=CodeActionKind.QuickFix, diagnostics=diagnostics, disabled=why)

    def silence(self, told: Told, here: Version, diagnostics: list[Diagnostic]) -> Iterator[CodeAction]:
        """The comment that silences a finding where it is told."""
        code = told.finding.code
        if code == UNUSED or told.place.cell:
            return
        edits, _ = Adding(here.text.source).edits({told.place.span.row: {code}})
        if edits:
            yield CodeAction(
                f"Silence {code} in this line: # noqa: {code}",
                kind=CodeActionKind.QuickFix,
                diagnostics=diagnostics,
                edit=self._edits.of([(here, edits)]),
            )

    def remark(
        self, told: Told, around: Running | None, here: Version, diagnostics: list[Diagnostic]
    ) -> Iterator[CodeAction]:
        """Comments that say where the function of an operation runs, for who knows better."""
        finding = told.finding
        if around is None or not told.own or finding.context not in OFF_LOOP or told.place.cell:
            return
        first = around.span.row
        row = here.text.row(first)
        indentation = row[: len(row) - len(row.lstrip())]
        name = around.trace.function.rpartition(".")[2]
        for word, meaning in _REMARKS.items():
            edit = Edit(Span(first, 1, first, 1), f"{indentation}# loopsafe: runs-on={word}{_end(here.text)}")
            if not same_code(here.text.source, _inserted(here.text, edit)):
                continue
            yield CodeAction(
                printable(f"Say that `{name}` {meaning}: # loopsafe: runs-on={word}"),
                kind=CodeActionKind.QuickFix,
                diagnostics=diagnostics,
                edit=self._edits.of([(here, [edit])]),
            )


def _inserted(text: Text, edit: Edit) -> str:
    rows = _with_ends(text.source)
    return "".join([*rows[: edit.span.row - 1], edit.content, *rows[edit.span.row - 1 :]])


def _end(text: Text) -> str:
    """How rows of a text end."""
    rest = text.source[len(text.rows[0]) :]
    return next((end for end in ("\r\n", "\r", "\n") if rest.startswith(end)), "\n")


def _shortened(message: str) -> str:
    """The remedy, which stands last; without one, all."""
    return message.rpartition("; ")[2] or message


def innermost(functions: Iterable[Running], row: int) -> Running | None:
    """The function around a row that begins last."""
    around = [one for one in functions if one.span.row <= row <= one.span.end_row]
    return max(around, key=lambda one: one.span.row, default=None)


def wants(only: Sequence[str] | None, kind: str) -> bool:
    """Whether an editor that asks for these kinds wants this one; it wants all where it names none."""
    return not only or any(kind == each or kind.startswith(f"{each}.") for each in only)


def fix_all(uri: str, edit: WorkspaceEdit | None) -> CodeAction:
    """The action that makes all safe fixes of a file; its edit may come later."""
    return CodeAction("Make all safe fixes of loopsafe in this file", kind=FIX_ALL, edit=edit, data={"uri": uri})
