"""What an editor shows: the findings of `check`, for the texts as they are in the editor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.server.conftest import MAIN, SENSOR, STORE, write_project
from tests.support.editor import checked, editing, marked

SAFE = STORE.replace(
    "self._readings.put_nowait(reading)", "self._loop.call_soon_threadsafe(self._readings.put_nowait, reading)"
)


def codes(diagnostics: list[dict]) -> list[str]:
    return [one.get("code", "") for one in diagnostics]


def test_the_findings_of_check(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        (found,) = editor.looked_at(uri)
        assert editor.told() == checked(project) != set()
        assert found["severity"] == 1
        assert marked(STORE, found["range"], editor.encoding) == "self._readings.put_nowait(reading)"
        related = found["relatedInformation"]
        assert [one["message"].partition(":")[0] for one in related] == ["starts", "calls", "reaches"]
        assert [one["location"]["uri"] for one in related] == [sensor.as_uri(), sensor.as_uri(), uri]
        # The file that the path comes from is told, too, at the hop that is nearest.
        (passing,) = editor.diagnostics[sensor.as_uri()]
        assert passing["severity"] == 3
        assert marked(SENSOR, passing["range"], editor.encoding) == "self._store.add(20.5)"
        assert "reaches" in passing["message"]


def test_unsaved_text_counts(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        editor.change(uri, SAFE)
        assert editor.looked_at(uri) == []
        assert editor.diagnostics[sensor.as_uri()] == []
        assert store.read_text() == STORE
        # What is closed without having been saved is what it was.
        editor.close(uri)
        editor.wait(lambda: codes(editor.diagnostics[uri]) == ["LSF102"])


def test_a_saved_file(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        editor.change(uri, SAFE)
        editor.save(uri)
        assert editor.looked_at(uri) == []
        assert checked(project) == set()


def test_broken_text_keeps_what_was_found(project: Path, store: Path, sensor: Path) -> None:
    broken = STORE.replace("import asyncio\n", "import asyncio\n\nclass Half(:\n")
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        editor.change(uri, broken)
        found = editor.looked_at(uri)
        assert codes(found) == ["LSF102", ""]
        assert marked(broken, found[0]["range"], editor.encoding) == "self._readings.put_nowait(reading)"
        assert found[1]["range"]["start"]["line"] == 2
        assert codes(editor.diagnostics[sensor.as_uri()]) == ["LSF102"]
        # Also where another file changes meanwhile.
        other = editor.open(sensor)
        editor.change(other, f"# {SENSOR}")
        assert codes(editor.looked_at(other)) == []
        editor.change(uri, SAFE)
        assert editor.looked_at(uri) == []


def test_text_that_never_was_python(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store, "class (:\n")
        found = editor.looked_at(uri)
        assert "" in codes(found)
        assert "LSF102" in codes(found)
        nothing = editor.open(project / "app" / "new.py", "def (")
        assert codes(editor.looked_at(nothing)) == [""]


def test_renamed_and_deleted_files(project: Path, store: Path, sensor: Path) -> None:
    with editing(project) as editor:
        editor.wait(lambda: codes(editor.diagnostics.get(store.as_uri(), [])) == ["LSF102"])
        renamed = store.rename(store.with_name("shop.py"))
        for file, text in ((sensor, SENSOR), (project / "app" / "main.py", MAIN)):
            file.write_text(text.replace("app.store", "app.shop"))
        editor.files_changed(store, renamed, sensor)
        editor.wait(lambda: codes(editor.diagnostics.get(renamed.as_uri(), [])) == ["LSF102"])
        editor.wait(lambda: editor.diagnostics[store.as_uri()] == [])
        assert editor.told() == checked(project)
        sensor.unlink()
        editor.files_changed(sensor)
        editor.wait(lambda: not editor.diagnostics[renamed.as_uri()] and not editor.diagnostics[sensor.as_uri()])


def test_an_open_file_that_is_deleted(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        store.unlink()
        editor.files_changed(store)
        editor.change(uri, f"\n{STORE}")
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        editor.close(uri)
        editor.wait(lambda: editor.diagnostics[uri] == [])


def test_several_folders(tmp_path: Path) -> None:
    one, other = write_project(tmp_path / "one"), write_project(tmp_path / "other", 'ignore = ["LSF"]\n')
    with editing(one, other) as editor:
        uri = editor.open(one / "app" / "store.py")
        editor.looked_at(uri)
        assert editor.told() == checked(one, other)
        assert {os.path.relpath(path, tmp_path) for path, *_ in editor.told()} == {"one/app/store.py"}
        event = {"added": [], "removed": [{"uri": one.as_uri(), "name": "one"}]}
        editor.close(uri)
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        editor.wait(lambda: editor.diagnostics[uri] == [])
        event = {"added": [{"uri": one.as_uri(), "name": "one"}], "removed": []}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        editor.wait(lambda: codes(editor.diagnostics[uri]) == ["LSF102"])


def test_a_project_inside_another(tmp_path: Path) -> None:
    outer = write_project(tmp_path / "outer")
    inner = write_project(outer / "inner", 'min-confidence = "certain"\n')
    with editing(outer) as editor:
        uri = editor.open(inner / "app" / "store.py")
        editor.looked_at(uri)
        assert editor.told() == checked(outer)
        editor.change(uri, SAFE)
        editor.looked_at(uri)
        assert {path for path, *_ in editor.told()} == {str(outer / "app" / "store.py")}


def test_a_file_outside_of_any_project(tmp_path: Path, project: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"{STORE}\n\n{SENSOR.replace('from app.store import Store', '')}")
    with editing(project) as editor:
        uri = editor.open(script)
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        assert editor.told() == checked(project, script)
        editor.close(uri)
        editor.wait(lambda: editor.diagnostics[uri] == [])
    with editing() as editor:
        uri = editor.open(script)
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        assert editor.told() == checked(script)


def test_a_folder_that_is_a_link(tmp_path: Path, project: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    with editing(link) as editor:
        uri = editor.open(link / "app" / "sensor.py")
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        # The editor knows the other file by the name of its folder, too.
        assert codes(editor.diagnostics[(link / "app" / "store.py").as_uri()]) == ["LSF102"]


def test_what_is_not_python_or_no_file(project: Path) -> None:
    with editing(project) as editor:
        untitled = {"uri": "untitled:One", "languageId": "python", "version": 1, "text": STORE}
        editor.notify("textDocument/didOpen", {"textDocument": untitled})
        notes = {"uri": (project / "a.md").as_uri(), "languageId": "markdown", "version": 1, "text": "# Notes"}
        editor.notify("textDocument/didOpen", {"textDocument": notes})
        editor.notify("textDocument/didClose", {"textDocument": {"uri": "untitled:One"}})
        uri = editor.open(project / "app" / "store.py")
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        assert set(editor.diagnostics) == {uri, (project / "app" / "sensor.py").as_uri()}


def test_excluded_files_are_not_told_of(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", 'extend-exclude = ["sensor.py"]\n')
    with editing(project) as editor:
        uri = editor.open(project / "app" / "sensor.py")
        assert editor.looked_at(uri) == []


def test_comments_silence(project: Path, store: Path, sensor: Path) -> None:
    silent = STORE.replace("put_nowait(reading)", "put_nowait(reading)  # noqa: LSF102")
    with editing(project) as editor:
        uri, other = editor.open(store), editor.open(sensor)
        editor.looked_at(other)
        editor.change(other, SENSOR.replace("add(20.5)", "add(20.5)  # noqa: LSF102"))
        assert codes(editor.looked_at(other)) == []
        assert codes(editor.diagnostics[uri]) == ["LSF102"]
        editor.change(uri, silent)
        assert codes(editor.looked_at(uri)) == []
        editor.change(uri, SAFE.replace("import asyncio", "import asyncio  # noqa: LSF102"))
        (unused,) = editor.looked_at(uri)
        assert (unused["code"], unused["tags"]) == ("LSF001", [1])


def test_hostile_files(project: Path, store: Path) -> None:
    (project / "app" / "deep.py").write_text(f"x = {'(' * 5_000}{')' * 5_000}\n")
    (project / "app" / "bytes.py").write_bytes(b"\xff\xfe\x00x = 1\n")
    (project / "app" / "loop.py").symlink_to("loop.py")
    (project / "app" / "away.py").symlink_to("/etc/hostname")
    os.mkfifo(project / "app" / "pipe.py")
    (project / "app" / "large.py").write_text("x = 1\n" * 1_000_000)
    with editing(project) as editor:
        uri = editor.open(store)
        assert codes(editor.looked_at(uri)) == ["LSF102"]
        for name in ("deep", "bytes", "pipe", "large"):
            (problem,) = editor.diagnostics[(project / "app" / f"{name}.py").as_uri()]
            assert problem["severity"] == 2
        half = editor.open(project / "app" / "half.py", "x = '\ud800'\n")
        assert [one["severity"] for one in editor.looked_at(half)] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions(project: Path, store: Path, encoding: str) -> None:
    text = STORE.replace(
        "        self._readings.put_nowait(reading)", "        '🐍é𝔘'; self._readings.put_nowait(reading)"
    )
    with editing(project, encodings=[encoding]) as editor:
        assert editor.encoding == encoding
        uri = editor.open(store, text)
        (found,) = editor.looked_at(uri)
        assert marked(text, found["range"], encoding) == "self._readings.put_nowait(reading)"
        # The same where the file is not open, and its text is not known to the editor.
        store.write_text(text, "utf-8")
        editor.close(uri)
        editor.wait(lambda: editor.versions[uri] is None)
        (found,) = editor.diagnostics[uri]
        assert marked(text, found["range"], encoding) == "self._readings.put_nowait(reading)"


def test_line_ends(project: Path, store: Path) -> None:
    text = STORE.replace("\n", "\r\n").replace("import asyncio\r\n", "import asyncio\r\nFEED = '\x0c\u2028\x85'\r\n", 1)
    with editing(project) as editor:
        uri = editor.open(store, text)
        (found,) = editor.looked_at(uri)
        row = text.split("\r\n")[found["range"]["start"]["line"]]
        assert row.strip() == "self._readings.put_nowait(reading)"


def test_names_that_are_no_text(project: Path) -> None:
    name = os.fsdecode(b"caf\xe9 [1].py")
    file = project / "app" / name
    file.write_text("class (:\n")
    with editing(project) as editor:
        editor.wait(lambda: file.as_uri() in editor.diagnostics)
        uri = editor.open(file)
        (found,) = editor.looked_at(uri)
        assert found["message"].startswith("cannot parse")
        editor.change(uri, "x = 1\n")
        assert editor.looked_at(uri) == []


def test_one_file_under_two_names(project: Path, store: Path) -> None:
    other = store.with_name("second.py")
    other.symlink_to(store)
    with editing(project) as editor:
        first, second = editor.open(store), editor.open(other)
        assert codes(editor.looked_at(second)) == codes(editor.looked_at(first)) == ["LSF102"]
        editor.change(second, SAFE)
        assert editor.looked_at(second) == []


def test_messages_that_make_no_sense(project: Path, store: Path) -> None:
    with editing(project) as editor:
        unknown = {"textDocument": {"uri": store.as_uri(), "version": 3}}
        editor.notify("textDocument/didChange", {**unknown, "contentChanges": [{"text": "x"}]})
        editor.notify("textDocument/didClose", unknown)
        editor.notify("textDocument/didSave", unknown)
        editor.notify("$/cancelRequest", {"id": 77})
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}})
        place = {"textDocument": {"uri": "file:///nowhere/at/all.py"}, "position": {"line": 10**6, "character": 10**6}}
        assert editor.ask("textDocument/hover", place) is None
        assert editor.ask("textDocument/prepareCallHierarchy", place) is None
        uri = editor.open(store)
        assert editor.ask("textDocument/hover", {**place, "textDocument": {"uri": uri}}) is None
        item = {"name": "x", "kind": 12, "uri": uri, "range": RANGE, "selectionRange": RANGE, "data": {"root": "/"}}
        assert editor.ask("callHierarchy/incomingCalls", {"item": item}) == []
        assert codes(editor.looked_at(uri)) == ["LSF102"]


RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
