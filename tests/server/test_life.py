"""How a server begins, goes on and ends: settings, many edits at once, processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.conftest import STORE
from tests.support.command_line import environment
from tests.support.editor import PATIENCE, checked, editing


def large_project(folder: Path, modules: int) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    for number in range(modules):
        (folder / f"m{number}.py").write_text(STORE * 20)
    return folder


def below(process: int) -> list[int]:
    """The processes that another has started, and those that they have."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in map(str.split, listed.splitlines())}
    found = [process]
    for one in found:
        found += [pid for pid, parent in parents.items() if parent == one]
    return found[1:]


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    # What nobody has waited for yet is still listed.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return state.stdout.strip().startswith("Z") or not state.stdout.strip()


def wait_until_gone(processes: list[int]) -> None:
    end = time.monotonic() + PATIENCE
    while not all(map(gone, processes)):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_settings_at_the_start(project: Path, store: Path) -> None:
    with editing(project, options={"ignore": ["LSF102"]}) as editor:
        uri = editor.open(store)
        assert editor.looked_at(uri) == []
        assert checked(project, options=["--ignore", "LSF102"]) == set()


@pytest.mark.parametrize(
    "settings",
    [{"loopsafe": {"min-confidence": "certain", "select": ["LSF2"]}}, {"minConfidence": "certain", "select": ["LSF2"]}],
)
def test_settings_that_change(project: Path, store: Path, settings: dict) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        assert len(editor.looked_at(uri)) == 1
        editor.notify("workspace/didChangeConfiguration", {"settings": settings})
        editor.wait(lambda: editor.diagnostics[uri] == [])
        editor.notify("workspace/didChangeConfiguration", {"settings": {"loopsafe": {"select": ["LSF1"]}}})
        editor.wait(lambda: len(editor.diagnostics[uri]) == 1)


def test_settings_that_are_asked_for(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        assert len(editor.looked_at(uri)) == 1
        editor.settings = {"ignore": ["LSF102"], "path": None}
        editor.notify("workspace/didChangeConfiguration", {"settings": None})
        editor.wait(lambda: editor.diagnostics[uri] == [])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"selekt": []}, "selekt"),
        ({"select": ["E501"]}, "select"),
        ({"select": ["LSF999"]}, "LSF999"),
        ({"min-confidence": 3}, "min-confidence"),
        ([1], "not a table"),
    ],
)
def test_settings_that_cannot_be_used(project: Path, store: Path, settings: object, told: str) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        editor.notify("workspace/didChangeConfiguration", {"settings": settings})
        editor.wait(lambda: bool(editor.messages()))
        assert told in editor.messages()[0]
        assert len(editor.diagnostics[uri]) == 1


def test_a_configuration_that_changes(project: Path, store: Path) -> None:
    file = project / "pyproject.toml"
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        file.write_text("[tool.loopsafe]\nignore = ['LSF102']\n")
        editor.files_changed(file)
        editor.wait(lambda: editor.diagnostics[uri] == [])
        file.write_text("[tool.loopsafe]\nignored = ['LSF102']\n")
        editor.files_changed(file)
        editor.wait(lambda: bool(editor.messages()))
        assert "unknown key `ignored`" in editor.messages()[0]
        file.write_text("[tool.loopsafe]\n")
        editor.files_changed(file)
        editor.wait(lambda: len(editor.diagnostics[uri]) == 1)


def test_many_edits_at_once(project: Path, store: Path) -> None:
    with editing(project, options={"delay": 0}) as editor:
        uri = editor.open(store)
        for number in range(40):
            editor.change(uri, f"{'#' * number}\n{STORE}")
        (found,) = editor.looked_at(uri)
        assert found["range"]["start"]["line"] == 10
        assert editor.messages() == []


def test_answers_come_while_work_goes_on(tmp_path: Path) -> None:
    """What is known is answered at once: the analysis of a large project does not hold it up."""
    many = large_project(tmp_path / "many", 150)
    with editing(many) as editor:
        uri = editor.open(many / "m1.py")
        hover = {"textDocument": {"uri": uri}, "position": {"line": 8, "character": 9}}
        assert editor.ask("textDocument/hover", hover) is None
        assert editor.ask("textDocument/codeLens", {"textDocument": {"uri": uri}}) == []
        # Nothing has been found by then.
        assert uri not in editor.diagnostics
        editor.looked_at(uri)


def test_the_process_that_analyses_is_killed(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        (worker,) = below(editor.process.pid)
        os.kill(worker, signal.SIGKILL)
        editor.wait(lambda: bool(editor.messages()))
        assert "has ended" in editor.messages()[0]
        # Another is started at once.
        editor.settle()
        assert below(editor.process.pid) != [worker]
        editor.change(uri, f"\n{STORE}")
        (found,) = editor.looked_at(uri)
        assert found["range"]["start"]["line"] == 10


def test_a_restart(project: Path, store: Path) -> None:
    with editing(project) as editor:
        uri = editor.open(store)
        editor.looked_at(uri)
        before, done = below(editor.process.pid), editor.done
        editor.ask("workspace/executeCommand", {"command": "loopsafe.restart", "arguments": []})
        editor.settle(done)
        assert len(editor.diagnostics[uri]) == 1
        assert set(before).isdisjoint(below(editor.process.pid))


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_nothing_is_left_behind(project: Path, store: Path, how: str) -> None:
    with editing(project, ends=True) as editor:
        editor.looked_at(editor.open(store))
        processes = [editor.process.pid, *below(editor.process.pid)]
        assert len(processes) == 2
        if how == "killed":
            editor.process.kill()
        else:
            assert editor.process.stdin is not None
            editor.process.stdin.close()
            assert editor.process.wait(PATIENCE) == 1
        wait_until_gone(processes[1:])


def test_nothing_is_left_behind_of_work_that_goes_on(tmp_path: Path) -> None:
    many = large_project(tmp_path / "many", 100)
    with editing(many, ends=True) as editor:
        editor.open(many / "m1.py")
        editor.wait(lambda: bool(below(editor.process.pid)))
        processes = below(editor.process.pid)
        editor.process.kill()
        wait_until_gone(processes)


def test_without_forks(project: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPSAFE_SERVER_FORKS", "0")
    with editing(project, options={"delay": 0}) as editor:
        uri = editor.open(store)
        assert len(editor.looked_at(uri)) == 1
        for number in range(10):
            editor.change(uri, f"{'#' * number}\n{STORE}")
        (found,) = editor.looked_at(uri)
        assert found["range"]["start"]["line"] == 10
        (action,) = editor.actions(uri, 0, ["source.fixAll"])
        editor.apply(editor.ask("codeAction/resolve", action)["edit"])
        assert editor.looked_at(uri) == []


def test_progress(tmp_path: Path) -> None:
    many = large_project(tmp_path / "many", 300)
    with editing(many) as editor:
        editor.looked_at(editor.open(many / "m1.py"))
        kinds = [one["value"]["kind"] for one in editor.progress]
        # On a fast machine it is over before anybody would want to see it.
        assert not kinds or (kinds[0], kinds[-1]) == ("begin", "end")


def test_where_it_is_not_installed(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pygls'] = None; from loopsafe.frontends.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("; from", "; sys.argv = ['loopsafe', 'server']; from")],
        env=environment(),
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert b'pip install "loopsafe[lsp]"' in done.stderr
    assert done.stdout == b""
