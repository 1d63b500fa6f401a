"""What the server says to the editor of its own accord: diagnostics, messages, and how far the work is."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from loopsafe import __version__
from loopsafe.frontends.server.analyst.messages import Going
from loopsafe.frontends.server.session import Session
from loopsafe.frontends.server.settings import CannotUse, read_settings
from loopsafe.harmless import printable, printable_lines

_PATIENCE = 1.0


class Server(LanguageServer):
    """The server, and what it says to the editor of its own accord."""

    def __init__(self) -> None:
        # Whole texts: what counts as the end of a row is then no question between the two.
        super().__init__("loopsafe", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.session = Session(self)
        self.code = 1
        """The exit code, until the editor says that it is done."""
        self._token = 0
        self._shown = False
        self._begin: asyncio.TimerHandle | None = None

    def can(self, path: str) -> bool:
        """Whether the editor has a capability, by its dotted name."""
        found: Any = self.client_capabilities
        for name in path.split("."):
            found = getattr(found, name, None)
        return bool(found)

    def publish(self, uri: str, version: int | None, diagnostics: list[lsp.Diagnostic]) -> None:
        """The diagnostics of a file from now on."""
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics, version))

    def complain(self, message: str) -> None:
        """Something that the user should know."""
        text = f"loopsafe: {printable_lines(message)}"
        self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, text))

    def note(self, message: str) -> None:
        """Something for the log."""
        self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Log, printable(message)))

    def going(self, answer: Going | None) -> None:
        """Show how far the work is, if it takes long."""
        if not self.can("window.work_done_progress"):
            return
        token = f"loopsafe-{self._token}"
        if answer is None:
            if self._begin is not None:
                self._begin.cancel()
            if self._shown:
                self.work_done_progress.end(token, lsp.WorkDoneProgressEnd())
                self.work_done_progress.tokens.pop(token, None)
            self._begin, self._shown = None, False
        elif self._shown:
            share = 100 * answer.done // answer.total if answer.total else None
            report = lsp.WorkDoneProgressReport(message=answer.stage, percentage=share)
            self.work_done_progress.report(token, report)
        elif self._begin is None:
            self._begin = asyncio.get_running_loop().call_later(_PATIENCE, self._show)

    def _show(self) -> None:
        self._token += 1
        token = f"loopsafe-{self._token}"

        def created(*_: object) -> None:
            # The work may be over by now.
            if self._begin is not None:
                self._shown = True
                self.work_done_progress.begin(token, lsp.WorkDoneProgressBegin(title="loopsafe"))

        self.work_done_progress.create(token, created)

    def renewed(self) -> None:
        """Where functions run is known anew."""
        if self.can("workspace.code_lens.refresh_support") and self.session.settings.code_lens:
            self.workspace_code_lens_refresh(None)

    def take_settings(self, given: object) -> None:
        """Use settings as the editor gives them; those that cannot be used change nothing."""
        try:
            self.session.configure(read_settings(given))
        except CannotUse as error:
            self.complain(str(error))
