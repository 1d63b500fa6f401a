"""The accuracy benchmark scores by statement, keeps verdicts through moved lines, and runs the real command."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.accuracy import labels, releases, scoring, tables, verdicts, with_libraries
from benchmarks.accuracy.checking import Finding, Limits, check
from benchmarks.accuracy.pages import NoMarkersError, filled
from benchmarks.accuracy.run import ACCURACY, PACKAGES, WILD
from tests.support.clock import CLOCK

TICKERS = """\
import threading


class Ticker:
    def __init__(self, on_tick) -> None:
        self._on_tick = on_tick

    def start(self) -> None:
        threading.Thread(target=self._on_tick, args=(1,)).start()
"""
BROKEN = """\
import asyncio
import threading


class Pump:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    async def start(self) -> None:
        threading.Thread(target=self._pump).start()
        await self._queue.get()

    def _pump(self) -> None:
        self._queue.put_nowait(
            1,
        )
"""


def finding(row: int, code: str = "LSF102", confidence: str = "certain") -> Finding:
    return Finding(code, "message", "pump.py", row, confidence, ())


def label(*lines: int) -> labels.Label:
    return labels.Label("pump", "pump==1", "pump.py", lines, "thread", "module", "asyncio")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "pump.py").write_text(BROKEN, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "rows", "result"),
    [
        pytest.param((14,), (14,), scoring.FOUND, id="the line itself"),
        pytest.param((15,), (14,), scoring.FOUND, id="another line of the statement"),
        pytest.param((14,), (11,), scoring.MISSED, id="another statement"),
        pytest.param((11, 14), (14,), scoring.PARTLY, id="one of two lines"),
        pytest.param((13,), (14,), scoring.MISSED, id="the header of the compound statement around it"),
    ],
)
def test_a_case_is_found_by_a_finding_on_the_same_statement(
    package: Path, lines: tuple[int, ...], rows: tuple[int, ...], result: str
) -> None:
    assert scoring.score(label(*lines), package, map(finding, rows)).result == result


def test_only_the_very_line_counts_where_the_file_cannot_be_parsed(package: Path) -> None:
    (package / "pump.py").write_text("print 'old'\nqueue.put(\n1)\n", "utf-8")
    assert scoring.score(label(2), package, [finding(3)]).result == scoring.MISSED
    assert scoring.score(label(2), package, [finding(2)]).result == scoring.FOUND


def test_a_verdict_survives_moved_lines(package: Path) -> None:
    release = releases.Release("pump", "1")
    before = verdicts.judge(release, package, finding(14), {})
    known = before.blank()
    (package / "pump.py").write_text("\n\n" + BROKEN, "utf-8")
    assert verdicts.judge(release, package, finding(16), {known.key: known}).verdict == known
    assert verdicts.judge(release, package, finding(14), {known.key: known}).verdict is None


def test_the_real_command_is_run(package: Path) -> None:
    outcome = check(package, Limits())
    assert not outcome.failure
    assert [(one.code, one.path, one.row) for one in outcome.findings] == [("LSF102", "pump.py", 14)]
    assert outcome.findings[0].witness


def test_a_run_that_takes_too_long_is_a_failure(package: Path) -> None:
    assert check(package, Limits(seconds=0.01)).failure == "timeout"


def test_a_run_that_needs_too_much_memory_is_a_failure(package: Path) -> None:
    assert check(package, Limits(megabytes=20)).failure.startswith("exit ")


def test_precision_counts_what_is_judged() -> None:
    release = releases.Release("pump", "1")
    answers = ["true", "true", "false", None]
    judged = [
        verdicts.Judged(
            release, finding(14), "x", answer and verdicts.Verdict("pump==1", "pump.py", "LSF102", "x", answer, "why")
        )
        for answer in answers
    ]
    assert "| all findings | 2 | 1 | 0 | 1 | 67% |" in tables.precision(judged)
    assert tables.wild(judged).count("| `pump.py:14` | LSF102 | `x` | why |") == 2


def test_pages_are_filled_between_their_markers() -> None:
    page = "a\n<!-- begin part -->\nold\n<!-- end part -->\nb\n"
    assert filled(page, "part", "new") == page.replace("old", "new")
    with pytest.raises(NoMarkersError):
        filled(page, "other", "new")


def test_the_pages_have_their_markers() -> None:
    for page, parts in ((ACCURACY, ("recall", "precision", "packages", "libraries")), (WILD, ("findings",))):
        for part in parts:
            filled(page.read_text("utf-8"), part, "")


def test_packages_are_pinned_once() -> None:
    names = Counter(release.name for release in releases.read_pins(PACKAGES))
    assert len(names) >= 40
    assert max(names.values()) == 1


def test_labels_can_be_read() -> None:
    read = labels.read_labels()
    assert len({one.id for one in read}) == len(read)
    for one in read:
        releases.Release.parse(one.release)


def test_every_verdict_has_a_reason_and_a_release_that_is_measured() -> None:
    pins = {str(release) for release in releases.read_pins(PACKAGES)} | {one.release for one in labels.read_labels()}
    lines = verdicts.FILE.read_text("utf-8").splitlines()
    read = verdicts.read_verdicts()
    assert len(read) == len(lines), "two verdicts for one finding"
    for verdict in read.values():
        assert verdict.verdict in ("true", "false", "unsure")
        assert verdict.release in pins
        assert re.fullmatch(r"\S.{15,}\S", verdict.reason)


def test_what_libraries_bring_and_cost(tmp_path: Path) -> None:
    folder = tmp_path / "clock==1"
    library = folder / ".venv" / "lib" / "python3.12" / "site-packages" / "tickers.py"
    library.parent.mkdir(parents=True)
    library.write_text(TICKERS, "utf-8")
    (folder / "clock.py").write_text(CLOCK, "utf-8")
    one = with_libraries.measure(releases.Release("clock", "1"), folder, Limits())
    assert (one.lines, one.read) == (CLOCK.count("\n"), 1)
    assert [finding.row for finding in one.only_with] == [15]
    assert one.only_without == []
    assert one.row()[:6] == ("clock==1", f"{one.lines}", "1", "0", "1", "0")
    assert all(seconds > 0 for pair in (one.cold, one.warm) for seconds in pair.of("processor"))
    text = with_libraries.report([one])
    assert text.startswith("1 packages; of 1 libraries are read.")
    assert "| clock==1 |" in text
