"""Answers to what the editor asks, from what is known by now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from lsprotocol import types as lsp

from loopsafe.findings import Step
from loopsafe.frontends.server import hovers
from loopsafe.frontends.server.actions import FIX_ALL, Actions, Edits, Version, fix_all, innermost, wants
from loopsafe.frontends.server.analyst.messages import Fixed
from loopsafe.frontends.server.board import Function, Told, View, overlapping
from loopsafe.frontends.server.editor import Server
from loopsafe.frontends.server.names import path_of
from loopsafe.harmless import printable
from loopsafe.locations import Span


def _real(uri: str) -> str:
    path = path_of(uri)
    return os.path.realpath(path) if path else ""


def _edits(ls: Server) -> Edits:
    return Edits(ls.session.board.units, ls.can("workspace.workspace_edit.document_changes"))


async def code_actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be done in a stretch of a file."""
    real, only = _real(params.text_document.uri), params.context.only
    found: list[lsp.CodeAction] = []
    told = ls.session.told.get(real, [])
    if wants(only, lsp.CodeActionKind.QuickFix):
        view = ls.session.view
        placed = [(view.of_finding(each.result, each.place), each) for each in told]
        for each in overlapping(placed, params.range):
            found += await asyncio.to_thread(_for_finding, ls, real, each, params.context.diagnostics)
    safe = [each for each in told if each.own and each.finding.fix and each.finding.fix.applicability == "safe"]
    if safe and wants(only, FIX_ALL):
        action = fix_all(params.text_document.uri, None)
        later = ls.can("text_document.code_action.resolve_support")
        found.append(action if later else await resolved(ls, action))
    return found


def _for_finding(ls: Server, real: str, told: Told, given: Sequence[lsp.Diagnostic]) -> list[lsp.CodeAction]:
    actions = Actions(_edits(ls), ls.can("text_document.code_action.disabled_support"))
    here, target = _current(ls, told, real), _current(ls, told, told.result.real(told.finding.location.path))
    diagnostics = [one for one in given if isinstance(one.data, dict) and one.data.get("key") == told.key]
    found: list[lsp.CodeAction] = []
    if target is not None:
        found += actions.fix(told, target, diagnostics)
    if here is not None:
        around = innermost((one.running for one in ls.session.board.functions_in(real)), told.place.in_file.row)
        found += actions.silence(told, here, diagnostics)
        found += actions.remark(told, around, here, diagnostics)
    return found


def _current(ls: Server, told: Told, real: str) -> Version | None:
    """A file as it was analysed; None where it has changed since: then edits would be of another text."""
    version = ls.session.version(real)
    analysed = told.result.texts.get(real)
    if version is None or (analysed is not None and version.text.source != analysed):
        return None
    return version


async def resolved(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    """An action with its edit."""
    uri = action.data.get("uri", "") if isinstance(action.data, dict) else ""
    real = _real(uri)
    if action.kind == FIX_ALL and real:
        fixed = await ls.session.fix([real])
        action.edit = _replacing(ls, fixed)
    return action


def _replacing(ls: Server, fixed: Fixed) -> lsp.WorkspaceEdit:
    versions = ((ls.session.version(real), text) for real, text in sorted(fixed.changes.items()))
    return _edits(ls).replacing((version, text) for version, text in versions if version is not None)


async def fix_everything(ls: Server) -> str:
    """Make all safe fixes in all folders, and say what was not fixed."""
    fixed = await ls.session.fix([folder.real for folder in ls.session.folders] or sorted(ls.session.texts))
    if fixed.changes:
        edit = lsp.ApplyWorkspaceEditParams(_replacing(ls, fixed), label="Make all safe fixes of loopsafe")
        await ls.workspace_apply_edit_async(edit)
    return "\n".join([f"Fixed {len(fixed.changes)} files.", *fixed.refused])


def _functions_at(ls: Server, uri: str, position: lsp.Position) -> list[Function]:
    """The functions whose name stands at a position, in a `def` or in a call that leads there."""
    session, real = ls.session, _real(uri)
    text = session.view.now.get(real)
    if text is None:
        return []
    row, column = text.place(position, session.board.units)
    word = _word(text.row(row), column)
    found = [one for one in session.board.functions_in(real) if _name(one) == word]
    placed = next((one.result.placed for one in found), None) or _placed(ls, real)
    old = session.view.back(real, row, placed)
    defined = [one for one in found if _is_defined_at(one, old)]
    called = session.board.leading_to(real, Span(old, column, old, column)) if word else ()
    return defined or [one for one in called if _name(one) == word]


def _placed(ls: Server, real: str) -> dict[str, str]:
    results = ls.session.board.results.values()
    return next((dict(one.placed) for one in results if real in one.placed), {})


def _word(row: str, column: int) -> str:
    start = end = min(column - 1, len(row))
    while start > 0 and (row[start - 1].isalnum() or row[start - 1] == "_"):
        start -= 1
    while end < len(row) and (row[end].isalnum() or row[end] == "_"):
        end += 1
    return row[start:end]


def _name(function: Function) -> str:
    return function.running.trace.function.rpartition(".")[2]


def _is_defined_at(function: Function, row: int) -> bool:
    return function.running.trace.location.in_file.row == row


def hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    """Where the function runs that is named at a position."""
    found = _functions_at(ls, params.text_document.uri, params.position)
    if not found:
        return None
    session = ls.session
    general = ls.client_capabilities.text_document
    formats = general.hover.content_format if general and general.hover else None
    if formats and lsp.MarkupKind.Markdown not in formats:
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.PlainText, "\n\n".join(map(hovers.plain, found))))

    def told(function: Function) -> str:
        def address(step: Step) -> str:
            return hovers.file_address(session.address(function.result.real(step.location.path)))

        return hovers.markdown(function, address)

    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n".join(map(told, found))))


def lenses(ls: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """A line above each function of a file that runs at several places or has a finding."""
    session, uri = ls.session, params.text_document.uri
    if not session.settings.code_lens:
        return []
    real = _real(uri)
    rows = [told.finding.location.in_file.row for told in session.told.get(real, ()) if told.own]
    found = []
    for function in hovers.with_lens(session.board.functions_in(real), rows):
        place = session.view.of_function(function.result, function.running.trace.location)
        title = printable(hovers.lens(function.running))
        found.append(lsp.CodeLens(place, lsp.Command(title, "loopsafe.trace", arguments=[uri, place.start.line])))
    return found


def trace(ls: Server, uri: str, line: int) -> str:
    """What `loopsafe trace` prints of the function around a row, from 0."""
    real = _real(uri)
    functions = list(ls.session.board.functions_in(real))
    placed = next((dict(one.result.placed) for one in functions), {})
    row = ls.session.view.back(real, line + 1, placed)
    around = innermost((one.running for one in functions), row)
    found = [one for one in functions if one.running is around]
    return hovers.plain(found[0]) if found else "No place is known where this runs."


def hierarchy(ls: Server, params: lsp.CallHierarchyPrepareParams) -> list[lsp.CallHierarchyItem] | None:
    """The functions named at a position."""
    found = _functions_at(ls, params.text_document.uri, params.position)
    return [_item(ls, function) for function in found] or None


def _item(ls: Server, function: Function) -> lsp.CallHierarchyItem:
    session, running = ls.session, function.running
    view, location = session.view, running.trace.location
    rows = function.result.places.rows if function.result.places else {}
    whole = view.range(function.real, running.span, function.result.placed, rows, location.path)
    name = view.of_function(function.result, location)
    # What is selected has to lie inside, also where rows have moved.
    whole = lsp.Range(min(whole.start, name.start, key=_key), max(whole.end, name.end, key=_key))
    return lsp.CallHierarchyItem(
        name=printable(_name(function)),
        kind=lsp.SymbolKind.Function,
        uri=session.address(function.real),
        range=whole,
        selection_range=name,
        detail=printable(f"{running.trace.function}: {hovers.lens(running)}"),
        data={"root": function.result.found.root, "position": function.position},
    )


def _key(position: lsp.Position) -> tuple[int, int]:
    return (position.line, position.character)


def _of_item(ls: Server, item: lsp.CallHierarchyItem) -> Function | None:
    data = item.data if isinstance(item.data, dict) else {}
    result = ls.session.board.results.get(data.get("root", ""))
    return ls.session.board.function(result, int(data.get("position", -1))) if result else None


def incoming(ls: Server, item: lsp.CallHierarchyItem) -> list[lsp.CallHierarchyIncomingCall]:
    """The functions from which control comes into one."""
    function = _of_item(ls, item)
    if function is None:
        return []
    found = []
    for source in dict.fromkeys(arrival.source for arrival in function.running.arrivals):
        caller = ls.session.board.function(function.result, source) if source >= 0 else None
        if caller is not None:
            places = _calls(ls.session.view, caller, function)
            found.append(lsp.CallHierarchyIncomingCall(_item(ls, caller), places))
    return found


def outgoing(ls: Server, item: lsp.CallHierarchyItem) -> list[lsp.CallHierarchyOutgoingCall]:
    """The functions into which control goes from one."""
    function = _of_item(ls, item)
    if function is None:
        return []
    targets = (ls.session.board.function(function.result, position) for position in function.leads)
    return [
        lsp.CallHierarchyOutgoingCall(_item(ls, target), _calls(ls.session.view, function, target))
        for target in targets
        if target is not None
    ]


def _calls(view: View, caller: Function, target: Function) -> list[lsp.Range]:
    """Where one leads to the other."""
    steps = dict.fromkeys(a.step.location for a in target.running.arrivals if a.source == caller.position)
    return [view.of_function(caller.result, place) for place in steps]
