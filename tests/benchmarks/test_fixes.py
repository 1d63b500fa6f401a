"""The benchmark of the fixes runs the real command, and sees what a fix must not do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.accuracy.checking import Limits
from benchmarks.accuracy.labels import read_labels
from benchmarks.accuracy.pages import filled
from benchmarks.fixes import applying, comparing, suites
from benchmarks.fixes.run import PAGE, table

BROKEN = """\
import asyncio
import threading


class Pump:
    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        threading.Thread(target=self._pump).start()

    def _pump(self) -> None:
        self._queue.put_nowait(1)
"""


def test_a_package_is_fixed_in_a_copy(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "pump.py").write_text(BROKEN)
    found = applying.find(package, Limits())
    applied = applying.apply_fixes(package, tmp_path / "copy", found, False, Limits())
    assert applied == applying.Applied(1, 1, (), ("pump.py",), ())
    assert (package / "pump.py").read_text() == BROKEN
    assert "call_soon_threadsafe" in (tmp_path / "copy" / "pump.py").read_text()
    rows = table([("pump==1", False, applied), ("pump==1", True, applied)])
    assert rows.endswith("| **all 1** | 1 | 1 | 1 | 1 | 1 | 0 |")


def test_what_a_fix_must_not_do_is_seen(tmp_path: Path) -> None:
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    before.write_text("a = 1\nb = 2\n")
    after.write_text("a = 2\nb = 2\n")
    assert list(applying._problems(before, after, {1})) == []
    assert "no fix is there" in " ".join(applying._problems(before, after, {2}))
    after.write_text("a = \nb = 2\n")
    assert "does not compile" in " ".join(applying._problems(before, after, {1}))


def test_each_judged_fix_belongs_to_a_label_and_stands_on_the_page() -> None:
    labels = {(label.id, label.release) for label in read_labels()}
    found = comparing.read()
    assert {(one.id, one.release) for one in found} <= labels
    assert all(one.verdict in (("right", "wrong") if one.ours == "declined" else comparing.VERDICTS) for one in found)
    page = PAGE.read_text("utf-8")
    assert filled(page, "labels", comparing.table()) == page
    assert json.loads(comparing.FILE.read_text("utf-8").splitlines()[0])["id"] == found[0].id


TOOL = """\
def changed():
    return 1
def other():
    return 2
"""

TESTS = """\
import os
import subprocess
import sys

import pytest

import tool


def test_works():
    code = "import os, tool; tool.changed(); os._exit(0)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("number", [1, 2])
def test_depends(number):
    assert tool.VALUE == number


def test_not_here():
    pytest.skip("never")
"""


def suite_of(folder: Path, value: int) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "tool.py").write_text(f"VALUE = {value}\n{TOOL}")
    (folder / "test_tool.py").write_text(TESTS)
    return folder


SUITE = suites.Suite("tool==1", (), "src", ("test_tool.py",))


def test_a_suite_is_compared_test_by_test(tmp_path: Path) -> None:
    folders = [suite_of(tmp_path / str(value), value) for value in (1, 2)]
    before, after = (suites.play(Path(sys.executable), folder, SUITE, (), Limits())[0] for folder in folders)
    assert sorted(before.values()) == ["failed", "passed", "passed", "skipped"]
    rows = suites.changed_rows(folders[0] / "src" / "tool.py", folders[1] / "src" / "tool.py")
    assert [row.rpartition("#")[2] for row in rows] == ["1"]
    applied = applying.Applied(1, 1, (), ("src/tool.py",), ())
    ran = suites.Ran(SUITE, applied, before, after, ("src/tool.py#1",), ("src/tool.py#1",))
    assert ran.differing == ["test_tool::test_depends[1]", "test_tool::test_depends[2]"]
    assert [problem.partition(": ")[2] for problem in suites.problems(ran)] == [
        "test_tool::test_depends[1]: passed before, failed after",
        "test_tool::test_depends[2]: failed before, passed after",
    ]
    counts = "2 passed, 1 failed, 1 skipped"
    row = f"| tool==1 | 1 | {counts} | {counts} | 2 | 0 | 1 of 1: `src/tool.py#1` |"
    assert suites.table([ran]).splitlines()[-1] == row


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")
def test_rows_that_run_are_seen_in_processes_that_end_hard(tmp_path: Path) -> None:
    folder = suite_of(tmp_path / "tool", 1)
    rows = tuple(f"{folder / 'src' / 'tool.py'}#{row}" for row in (3, 5))
    _, seen = suites.play(Path(sys.executable), folder, SUITE, rows, Limits())
    assert seen == rows[:1]


def test_the_suites_on_the_page_are_those_listed() -> None:
    part = PAGE.read_text("utf-8").partition("<!-- begin suites -->")[2].partition("<!-- end suites -->")[0]
    listed = [row.split(" ")[1] for row in part.splitlines() if row.startswith("| ") and "==" in row]
    assert listed == [suite.release for suite in suites.read()]
    assert len(listed) >= 3
