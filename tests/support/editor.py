"""An editor for tests: it speaks the Language Server Protocol with `loopsafe server`, message by message."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# For a machine that does much else; a server that works answers in a fraction of it.
PATIENCE = float(os.environ.get("LOOPSAFE_PATIENCE", "300"))

Message = dict[str, Any]
Told = tuple[str, int, int, str, bool]
CAPABILITIES: Message = {
    "window": {"workDoneProgress": True},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "workspaceEdit": {"documentChanges": True},
        "codeLens": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "codeAction": {"resolveSupport": {"properties": ["edit"]}, "disabledSupport": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
    },
}


class Editor:
    """One server and what it has said. Files are opened, changed and saved as an editor would."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.diagnostics: dict[str, list[Message]] = {}
        self.versions: dict[str, int | None] = {}
        self.settled: dict[str, int | None] = {}
        self.texts: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.opened: dict[str, int] = {}
        self.settings: Any = None
        self.said: list[Message] = []
        self.progress: list[Message] = []
        self.server: Message = {}
        self._number = 0
        self._replies: dict[int, Message] = {}
        self._news: queue.Queue[Message | None] = queue.Queue()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def end(self) -> None:
        """Kill the server, if it still is there."""
        self.process.kill()
        self.process.wait()
        self._listening.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()

    # Messages.

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while True:
            length = 0
            while (line := self.process.stdout.readline()).strip():
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            if not line:
                self._news.put(None)
                return
            self._news.put(json.loads(self.process.stdout.read(length)))

    def _write(self, message: Message) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request."""
        number = self.send(method, params)
        self.wait(lambda: number in self._replies)
        reply = self._replies.pop(number)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["result"]

    def send(self, method: str, params: Any) -> int:
        """Ask without waiting."""
        self._number += 1
        self._write({"id": self._number, "method": method, "params": params})
        return self._number

    def wait(self, until: Callable[[], bool]) -> None:
        """Hear messages until something holds."""
        while not until():
            message = self._news.get(timeout=PATIENCE)
            if message is None:
                raise EOFError("the server has ended")
            self._take(message)

    def _take(self, message: Message) -> None:
        method, params = message.get("method"), message.get("params")
        if method is None:
            self._replies[message["id"]] = message
        elif "id" in message:
            self._write({"id": message["id"], "result": self._answer(method, params)})
        elif method == "textDocument/publishDiagnostics":
            uri = params["uri"]
            self.diagnostics[uri], self.versions[uri] = params["diagnostics"], params.get("version")
            self.counts[uri] = self.counts.get(uri, 0) + 1
        elif method == "$/progress":
            self.progress.append(params)
        else:
            self.said.append(message)
            if method == "window/logMessage":
                self.settled = dict(self.versions)

    def _answer(self, method: str, params: Any) -> Any:
        if method == "workspace/configuration":
            return [self.settings for _ in params["items"]]
        if method == "workspace/applyEdit":
            self.apply(params["edit"])
            return {"applied": True}
        return None

    # What a user does.

    def open(self, file: Path, text: str | None = None) -> str:
        uri = file.as_uri()
        self.texts[uri] = file.read_text("utf-8") if text is None else text
        self.opened[uri] = 1
        document = {"uri": uri, "languageId": "python", "version": 1, "text": self.texts[uri]}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str) -> None:
        self.opened[uri] += 1
        self.texts[uri] = text
        document = {"uri": uri, "version": self.opened[uri]}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def save(self, uri: str) -> None:
        path_of(uri).write_text(self.texts[uri], "utf-8")
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, uri: str) -> None:
        del self.opened[uri], self.texts[uri]
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def files_changed(self, *files: Path) -> None:
        changes = [{"uri": file.as_uri(), "type": 2 if file.exists() else 3} for file in files]
        self.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    def settle(self, after: int | None = None) -> None:
        """Wait until the server is up to date once more, by default than now."""
        before = self.done if after is None else after
        self.wait(lambda: self.done > before)

    @property
    def done(self) -> int:
        """How often the server has said that it is up to date."""
        return sum(m["method"] == "window/logMessage" and "up to date" in m["params"]["message"] for m in self.said)

    def looked_at(self, uri: str) -> list[Message]:
        """The diagnostics of the present text of an open file, once all else is up to date as well."""
        self.wait(lambda: self.settled.get(uri) == self.opened[uri])
        return self.diagnostics[uri]

    def told(self) -> set[Told]:
        """What is told of operations, as `check` tells it: path, row, column, code and whether it is certain."""
        found = set()
        for uri, diagnostics in self.diagnostics.items():
            for one in diagnostics:
                if one.get("code") and one["severity"] in (1, 2):
                    text = self.texts[uri] if uri in self.texts else path_of(uri).read_bytes().decode()
                    start = one["range"]["start"]
                    row = text.split("\n")[start["line"]]
                    column = offset(row, {**start, "line": 0}, self.encoding) + 1
                    found.add((str(path_of(uri)), start["line"] + 1, column, one["code"], one["severity"] == 1))
        return found

    def messages(self, method: str = "window/showMessage") -> list[str]:
        return [said["params"]["message"] for said in self.said if said["method"] == method]

    def apply(self, edit: Message) -> None:
        """Make a workspace edit; of a version that is not that of the text, it fails."""
        for change in edit.get("documentChanges") or []:
            uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
            if uri in self.texts:
                assert version == self.opened[uri]
                self.change(uri, edited(self.texts[uri], change["edits"], self.encoding))
            else:
                assert version is None
                file = path_of(uri)
                file.write_bytes(edited(file.read_bytes().decode(), change["edits"], self.encoding).encode())

    def actions(self, uri: str, line: int, only: Sequence[str] = ()) -> list[Message]:
        place = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 10_000}}
        context = {"diagnostics": self.diagnostics.get(uri, []), **({"only": list(only)} if only else {})}
        return self.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": place, "context": context})

    @property
    def encoding(self) -> str:
        return self.server["capabilities"].get("positionEncoding", "utf-16")


def path_of(uri: str) -> Path:
    from urllib.parse import unquote, urlparse

    return Path(unquote(urlparse(uri).path))


_SIZES = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def offset(text: str, position: Mapping[str, int], encoding: str) -> int:
    """Where in a text a position is."""
    rows = text.split("\n")
    row = rows[position["line"]] if position["line"] < len(rows) else ""
    codec, size = _SIZES[encoding]
    before = len(row.encode(codec)[: position["character"] * size].decode(codec))
    return sum(len(one) + 1 for one in rows[: position["line"]]) + before


def edited(text: str, edits: Sequence[Message], encoding: str) -> str:
    """A text after edits, which are all of the text before."""
    placed = [
        (offset(text, e["range"]["start"], encoding), offset(text, e["range"]["end"], encoding), e["newText"])
        for e in edits
    ]
    for start, end, new in sorted(placed, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def marked(text: str, place: Message, encoding: str) -> str:
    """What stands in a range."""
    return text[offset(text, place["start"], encoding) : offset(text, place["end"], encoding)]


@dataclass
class Start:
    """How an editor begins: its folders, capabilities and options; and whether it `ends` before it is done."""

    folders: Sequence[Path] = ()
    options: Any = None
    capabilities: Message = field(default_factory=lambda: CAPABILITIES)
    encodings: Sequence[str] = ()
    cwd: Path | None = None
    ends: bool = False


@contextmanager
def editing(*folders: Path, **more: Any) -> Iterator[Editor]:
    """An editor with a server of its own, which is shut down at the end and must not have complained."""
    start = Start(folders, **more)
    process = subprocess.Popen(
        [sys.executable, "-m", "loopsafe", "server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=start.cwd,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    editor = Editor(process)
    try:
        begin(editor, start)
        yield editor
        if not start.ends:
            editor.ask("shutdown", None)
            editor.notify("exit", None)
            assert process.wait(PATIENCE) == 0
    finally:
        editor.end()


def checked(*paths: Path, options: Sequence[str] = ()) -> set[Told]:
    """What `loopsafe check` tells of these paths."""
    command = [sys.executable, "-m", "loopsafe", "check", "-q", "--no-cache", "--output-format", "json", *options]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, check=False, cwd="/", timeout=PATIENCE)
    assert done.returncode in (0, 1), done.stderr.decode()
    return {
        (
            os.path.join("/", one["filename"]),
            one["location"]["row"],
            one["location"]["column"],
            one["code"],
            one["confidence"] == "certain",
        )
        for one in json.loads(done.stdout)
    }


def begin(editor: Editor, start: Start) -> None:
    """Say hello."""
    capabilities = dict(start.capabilities)
    if start.encodings:
        capabilities["general"] = {"positionEncodings": list(start.encodings)}
    folders = [{"uri": folder.as_uri(), "name": folder.name} for folder in start.folders]
    params = {"processId": os.getpid(), "rootUri": None, "workspaceFolders": folders or None}
    options = {} if start.options is None else {"initializationOptions": start.options}
    editor.server = editor.ask("initialize", {**params, "capabilities": capabilities, **options})
    editor.notify("initialized", {})
