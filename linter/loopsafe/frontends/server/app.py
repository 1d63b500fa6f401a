"""The language server: which requests there are, and who answers them."""

from __future__ import annotations

import logging

from lsprotocol import types as lsp

from loopsafe.frontends.rule_info import find_rule
from loopsafe.frontends.server import answers
from loopsafe.frontends.server.actions import FIX_ALL
from loopsafe.frontends.server.editor import Server
from loopsafe.frontends.server.names import Folder
from loopsafe.frontends.server.texts import Units
from loopsafe.frontends.terminal import CannotWork
from loopsafe.harmless import printable
from loopsafe.project.config import ROOT_NAMES
from loopsafe.project.files import SUFFIXES

# What a change of may change what is found.
_WATCHED = (*(f"**/*{suffix}" for suffix in SUFFIXES), *(f"**/{name}" for name in sorted(ROOT_NAMES - {".git"})))
_LANGUAGE = "python"


def make_server() -> Server:
    """A server that knows all requests."""
    server = Server()
    _add_life(server)
    _add_texts(server)
    _add_surroundings(server)
    _add_questions(server)
    _add_commands(server)
    return server


def run_server() -> int:
    """Serve on standard input and output until the editor ends it; the exit code."""
    # What goes wrong is answered; a log would show texts of the project as they are.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    server = make_server()
    server.start_io()
    return server.code


def _add_life(server: Server) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(ls: Server, params: lsp.InitializeParams) -> None:
        ls.session.board.units = Units(lsp.PositionEncodingKind(ls.workspace.position_encoding or "utf-16").value)
        ls.session.related = ls.can("text_document.publish_diagnostics.related_information")
        if params.initialization_options is not None:
            ls.take_settings(params.initialization_options)

    @server.feature(lsp.INITIALIZED)
    async def initialized(ls: Server, params: lsp.InitializedParams) -> None:
        _place(ls)
        if ls.can("workspace.did_change_watched_files.dynamic_registration"):
            watchers = [lsp.FileSystemWatcher(pattern) for pattern in _WATCHED]
            options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
            await _register(ls, lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        if ls.can("workspace.did_change_configuration.dynamic_registration"):
            section = lsp.DidChangeConfigurationRegistrationOptions("loopsafe")
            await _register(ls, lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, section)
        await _ask_settings(ls)

    @server.feature(lsp.SHUTDOWN)
    async def shutdown(ls: Server, params: None) -> None:
        ls.code = 0
        await ls.session.end()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        _place(ls)


async def _register(ls: Server, method: str, options: object) -> None:
    registration = lsp.Registration(method, method, options)
    await ls.client_register_capability_async(lsp.RegistrationParams([registration]))


def _place(ls: Server) -> None:
    uris = list(ls.workspace.folders) or ([ls.workspace.root_uri] if ls.workspace.root_uri else [])
    ls.session.place(folder for uri in uris if (folder := Folder.of(uri)) is not None)


async def _ask_settings(ls: Server) -> None:
    """Editors of one kind answer when they are asked, those of the other send settings along."""
    if ls.can("workspace.configuration"):
        item = lsp.ConfigurationItem(section="loopsafe")
        found = await ls.workspace_configuration_async(lsp.ConfigurationParams([item]))
        if found and found[0] is not None:
            ls.take_settings(found[0])


def _add_texts(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        if document.language_id == _LANGUAGE or document.uri.endswith(".py"):
            ls.session.open(document.uri, document.version, document.text)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        if uri in ls.session.documents:
            source = ls.workspace.get_text_document(uri).source
            ls.session.open(uri, params.text_document.version, source)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: Server, params: lsp.DidSaveTextDocumentParams) -> None:
        ls.session.look()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        ls.session.close(params.text_document.uri)


def _add_surroundings(server: Server) -> None:
    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
        ls.session.look()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
        if params.settings is not None and params.settings != {}:
            ls.take_settings(params.settings)
        else:
            await _ask_settings(ls)


def _add_questions(server: Server) -> None:
    kinds = lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, kinds)
    async def actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return await answers.code_actions(ls, params)

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    async def resolve(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
        return await answers.resolved(ls, action)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        return answers.hover(ls, params)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    def lenses(ls: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        return answers.lenses(ls, params)

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepare(ls: Server, params: lsp.CallHierarchyPrepareParams) -> list[lsp.CallHierarchyItem] | None:
        return answers.hierarchy(ls, params)

    @server.feature(lsp.CALL_HIERARCHY_INCOMING_CALLS)
    def incoming(ls: Server, params: lsp.CallHierarchyIncomingCallsParams) -> list[lsp.CallHierarchyIncomingCall]:
        return answers.incoming(ls, params.item)

    @server.feature(lsp.CALL_HIERARCHY_OUTGOING_CALLS)
    def outgoing(ls: Server, params: lsp.CallHierarchyOutgoingCallsParams) -> list[lsp.CallHierarchyOutgoingCall]:
        return answers.outgoing(ls, params.item)


def _add_commands(server: Server) -> None:
    @server.command("loopsafe.trace")
    def trace(ls: Server, uri: str, line: int) -> str:
        return answers.trace(ls, uri, line)

    @server.command("loopsafe.explain")
    def explain(ls: Server, code: str) -> str:
        try:
            return find_rule(code).documentation
        except CannotWork as error:
            return printable(error.message)

    @server.command("loopsafe.fixAll")
    async def fix_project(ls: Server) -> str:
        return await answers.fix_everything(ls)

    @server.command("loopsafe.restart")
    async def restart(ls: Server) -> None:
        await ls.session.restart()
