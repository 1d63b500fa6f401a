"""Where functions run, as editors ask for it: hovering, above a function, as a hierarchy of calls, and by command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.server.conftest import SENSOR, STORE
from tests.support.editor import Editor, editing


def place(text: str, before: str) -> dict[str, int]:
    """The position behind some text."""
    start = text[: text.index(before) + len(before)]
    return {"line": start.count("\n"), "character": len(start) - start.rfind("\n") - 1}


def asked(editor: Editor, method: str, uri: str, before: str) -> Any:
    params = {"textDocument": {"uri": uri}, "position": place(editor.texts[uri], before)}
    return editor.ask(f"textDocument/{method}", params)


def opened(editor: Editor, file: Path) -> str:
    uri = editor.open(file)
    editor.looked_at(uri)
    return uri


def test_hover(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        uri = opened(editor, store)
        text = asked(editor, "hover", uri, "def ad")["contents"]["value"]
        assert text.startswith("`app.store.Store.add` runs\n\n- **on a worker thread**")
        assert f"]({sensor.as_uri()}#L6) `class Sensor(threading.Thread):`" in text
        # At the call as well, and not on other words.
        assert asked(editor, "hover", opened(editor, sensor), "_store.a")["contents"]["value"] == text
        assert asked(editor, "hover", uri, "import asy") is None
        assert asked(editor, "hover", uri, "class Sto") is None
        editor.change(uri, f"\n\n\n{STORE}")
        assert asked(editor, "hover", uri, "def ad")["contents"]["value"] == text


def test_hover_in_plain_text(project: Path, store: Path) -> None:
    with editing(project, capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}}) as editor:
        contents = asked(editor, "hover", opened(editor, store), "def ad")["contents"]
        assert contents["kind"] == "plaintext"
        assert contents["value"].startswith("app.store.Store.add runs\n  on a worker thread\n")


def test_what_the_project_says_is_only_shown(project: Path, sensor: Path) -> None:
    evil = "self._store.add(20.5 if '`[x](http://evil)<b>' else 1)"
    sensor.write_text(SENSOR.replace("self._store.add(20.5)", evil))
    with editing(project) as editor:
        text = asked(editor, "hover", opened(editor, project / "app" / "store.py"), "def ad")["contents"]["value"]
        assert f"``{evil}``" in text


def test_lenses(project: Path, store: Path) -> None:
    both = STORE.replace(
        "    async def next", "    async def also(self) -> None:\n        self.add(1)\n\n    async def next"
    )
    store.write_text(both)
    with editing(project) as editor:
        uri = opened(editor, store)
        (lens,) = editor.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
        assert lens["command"]["title"] == "runs on: loop | thread"
        assert lens["range"]["start"]["line"] == 8
        arguments = {"command": lens["command"]["command"], "arguments": lens["command"]["arguments"]}
        told = editor.ask("workspace/executeCommand", arguments)
        assert "on a worker thread" in told
        assert "on an event loop" in told
        editor.notify("workspace/didChangeConfiguration", {"settings": {"loopsafe": {"codeLens": False}}})
        assert editor.ask("textDocument/codeLens", {"textDocument": {"uri": uri}}) == []


def test_call_hierarchy(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        uri = opened(editor, store)
        (add,) = asked(editor, "prepareCallHierarchy", uri, "def ad")
        assert add["name"] == "add"
        (into,) = editor.ask("callHierarchy/incomingCalls", {"item": add})
        assert (into["from"]["name"], into["from"]["uri"]) == ("run", sensor.as_uri())
        assert into["fromRanges"][0]["start"]["line"] == SENSOR.split("\n").index("        self._store.add(20.5)")
        (out,) = editor.ask("callHierarchy/outgoingCalls", {"item": into["from"]})
        assert out["to"] == add
        assert out["fromRanges"] == into["fromRanges"]


def test_commands(project: Path) -> None:
    with editing(project) as editor:
        page = editor.ask("workspace/executeCommand", {"command": "loopsafe.explain", "arguments": ["LSF102"]})
        assert page.startswith("# LSF102")
        page = editor.ask("workspace/executeCommand", {"command": "loopsafe.explain", "arguments": ["LSF999"]})
        assert page.startswith("no rule")
        uri = opened(editor, project / "app" / "main.py")
        told = editor.ask("workspace/executeCommand", {"command": "loopsafe.trace", "arguments": [uri, 0]})
        assert told == "No place is known where this runs."
