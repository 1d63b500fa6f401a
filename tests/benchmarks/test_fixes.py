"""The benchmark of the fixes runs the real command, and sees what a fix must not do."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.accuracy.checking import Limits
from benchmarks.accuracy.labels import read_labels
from benchmarks.accuracy.pages import filled
from benchmarks.fixes import applying, comparing
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
