"""What can be done about a finding: edits that an editor makes, and what becomes of the finding then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import SENSOR, STORE, write_project
from tests.support.command_line import loopsafe_in
from tests.support.editor import CAPABILITIES, Editor, checked, editing

OFFENDING = 9
ASK_NOTHING: dict[str, Any] = {}


def titled(actions: list[dict], beginning: str) -> dict:
    (found,) = [one for one in actions if one["title"].startswith(beginning)]
    return found


def opened(editor: Editor, file: Path) -> str:
    uri = editor.open(file)
    editor.looked_at(uri)
    return uri


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_fix_is_that_of_the_command(project: Path, store: Path, line_end: str) -> None:
    store.write_bytes(STORE.replace("\n", line_end).encode())
    with editing(project) as editor:
        uri = editor.open(store, store.read_bytes().decode())
        editor.looked_at(uri)
        action = titled(editor.actions(uri, OFFENDING), "Fix LSF102")
        assert action["isPreferred"]
        assert [one["code"] for one in action["diagnostics"]] == ["LSF102"]
        editor.apply(action["edit"])
        assert editor.looked_at(uri) == []
        loopsafe_in(project)("fix", store)
        assert editor.texts[uri] == store.read_bytes().decode() != STORE


def test_a_fix_from_the_other_end(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        uri = opened(editor, sensor)
        action = titled(editor.actions(uri, SENSOR.split("\n").index("        self._store.add(20.5)")), "Fix LSF102")
        # The file is not open, so there is no version to name.
        assert action["edit"]["documentChanges"][0]["textDocument"] == {"uri": store.as_uri(), "version": None}
        editor.apply(action["edit"])
        editor.files_changed(store)
        editor.wait(lambda: editor.diagnostics[uri] == [])
        assert checked(project) == set()


def test_fix_all(project: Path, store: Path) -> None:
    text = STORE.replace("put_nowait(reading)\n", "put_nowait(reading)\n        self._readings.put_nowait(0.0)\n", 1)
    store.write_text(text)
    with editing(project) as editor:
        uri = opened(editor, store)
        (action,) = editor.actions(uri, 0, ["source.fixAll"])
        assert action["kind"] == "source.fixAll.loopsafe"
        assert "edit" not in action
        editor.apply(editor.ask("codeAction/resolve", action)["edit"])
        assert editor.looked_at(uri) == []
        loopsafe_in(project)("fix", store)
        assert editor.texts[uri] == store.read_text() != text


def test_fix_all_of_unsaved_text(project: Path, store: Path) -> None:
    with editing(project, capabilities={}) as editor:
        uri = opened(editor, store)
        editor.change(uri, f"# first\n{STORE}# último 🐍\n")
        editor.looked_at(uri)
        # This editor knows neither edits that come later nor versions.
        (action,) = editor.actions(uri, 0, ["source.fixAll.loopsafe"])
        (edits,) = action["edit"]["changes"].values()
        assert [one["newText"].strip() for one in edits] == [
            "self._loop.call_soon_threadsafe(self._readings.put_nowait, reading)"
        ]
        assert store.read_text() == STORE


def test_fix_in_all_files(tmp_path: Path) -> None:
    one, other = write_project(tmp_path / "one"), write_project(tmp_path / "other")
    with editing(one, other) as editor:
        uri = opened(editor, one / "app" / "store.py")
        told = editor.ask("workspace/executeCommand", {"command": "loopsafe.fixAll", "arguments": []})
        assert told == "Fixed 2 files."
        editor.looked_at(uri)
        editor.save(uri)
        editor.files_changed(other / "app" / "store.py")
        editor.wait(lambda: not editor.told())
        assert checked(tmp_path) == set()


def test_what_is_only_sometimes_right_says_so(project: Path, store: Path, sensor: Path) -> None:
    text = STORE.replace(
        "        self._readings.put_nowait(reading)\n",
        "        self._readings.put_nowait(reading)\n        print(self._readings.qsize())\n",
    )
    store.write_text(text)
    with editing(project) as editor:
        uri = opened(editor, store)
        action = titled(editor.actions(uri, OFFENDING), "Fix LSF102")
        assert "(unsafe: " in action["title"]
        assert not action.get("isPreferred")
        assert editor.actions(uri, 0, ["source.fixAll"]) == []


def test_what_cannot_be_fixed_says_why(project: Path, store: Path) -> None:
    store.write_text(STORE.replace("put_nowait(reading)", "get_nowait()"))
    with editing(project) as editor:
        uri = opened(editor, store)
        action = titled(editor.actions(uri, OFFENDING), "Fix LSF102")
        assert action["disabled"]["reason"]
        assert "edit" not in action
    with editing(project, capabilities={}) as editor:
        uri = opened(editor, store)
        assert not any(one["title"].startswith("Fix") for one in editor.actions(uri, OFFENDING))


@pytest.mark.parametrize("beginning", ["Silence LSF102", "Say that `add` only ever", "Say that `add` may run"])
def test_comments(project: Path, store: Path, beginning: str) -> None:
    with editing(project) as editor:
        uri = opened(editor, store)
        editor.apply(titled(editor.actions(uri, OFFENDING), beginning)["edit"])
        editor.looked_at(uri)
        editor.save(uri)
        told = {(row, code) for _, row, _, code, _ in editor.told()}
        assert told == {(row, code) for _, row, _, code, _ in checked(project)}
        assert (OFFENDING + 1, "LSF102") not in told
        assert (OFFENDING + 2, "LSF102") not in told
        assert editor.messages() == []


def test_nothing_is_offered_for_another_text(project: Path, store: Path) -> None:
    with editing(project, options={"delay": 60_000}) as editor:
        uri = opened(editor, store)
        editor.change(uri, f"\n\n{STORE}")
        assert [one["kind"] for one in editor.actions(uri, OFFENDING + 2)] in ([], ["source.fixAll.loopsafe"])


def test_an_edit_that_comes_too_late_is_none(project: Path, store: Path) -> None:
    with editing(project, options={"delay": 60_000}) as editor:
        uri = opened(editor, store)
        (action,) = editor.actions(uri, 0, ["source.fixAll"])
        number = editor.send("codeAction/resolve", action)
        editor.change(uri, f"# changed meanwhile\n{STORE}")
        editor.wait(lambda: number in editor._replies)
        edit = editor._replies[number]["result"]["edit"]
        # Either it was quick enough, or there is nothing in it.
        versions = {change["textDocument"]["version"] for change in edit["documentChanges"]}
        assert versions <= {1}


def test_comments_go(project: Path, store: Path) -> None:
    store.write_text(STORE.replace("import asyncio\n", "import asyncio  # noqa: LSF102\n"))
    with editing(project) as editor:
        uri = opened(editor, store)
        action = titled(editor.actions(uri, 0, ["quickfix"]), "Fix LSF001")
        editor.apply(action["edit"])
        assert [one["code"] for one in editor.looked_at(uri)] == ["LSF102"]


def test_capabilities_are_there() -> None:
    assert CAPABILITIES["textDocument"]["codeAction"]["resolveSupport"]


def test_a_comment_above_a_decorated_function(project: Path, store: Path) -> None:
    decorated = STORE.replace(
        "    def add", "    @staticmethod\n    def other() -> None: ...\n\n    @typing.no_type_check\n    def add"
    )
    with editing(project) as editor:
        uri = editor.open(store, f"import typing\n{decorated}")
        (found,) = editor.looked_at(uri)
        editor.apply(titled(editor.actions(uri, found["range"]["start"]["line"]), "Say that `add` may run")["edit"])
        assert "LSF102" not in [one.get("code") for one in editor.looked_at(uri)]
        assert editor.messages() == []
