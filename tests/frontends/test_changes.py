"""A fix run's proof: changes that do not make things right are dropped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from loopsafe.findings import Finding, FixPlan, Problem, Report, Rewrite, Step
from loopsafe.fixes import FixResult
from loopsafe.frontends import changes
from loopsafe.frontends.changes import Outcome, work_out
from loopsafe.locations import Location, Span
from loopsafe.project.noqa import UNUSED


def finding(path: str, row: int, code: str = "LSF102") -> Finding:
    """A finding for a line `bad N`, which the fix below turns into `good N`."""
    location = Location(path, Span(row, 1, row, 4))
    plan = FixPlan("safe", "", (Rewrite(location.span, "pass", "loop.call"),))
    return Finding(location, code, "n", "m", "certain", "thread", (Step("reaches", location, f"bad {row}"),), plan)


def fake_fix_bytes(data: bytes, plans: list[FixPlan], width: int | None = None) -> tuple[bytes, FixResult]:
    rows = data.decode().split("\n")
    failed = tuple((plan, "no") for plan in plans if "!" in rows[plan.rewrites[0].span.row - 1])
    applied = tuple(plan for plan in plans if plan not in dict(failed))
    for plan in applied:
        row = plan.rewrites[0].span.row - 1
        rows[row] = rows[row].replace("bad", "good")
    text = "\n".join(rows)
    return text.encode(), FixResult(text, (), applied, failed)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(changes, "fix_bytes", fake_fix_bytes)
    Path("a.py").write_text("bad 1\nbad 2\n")
    Path("b.py").write_text("bad 1\n")
    return tmp_path


FOUND = (finding("a.py", 1), finding("a.py", 2), finding("b.py", 1))


def run(after: list[Finding | Problem] | None = None, wanted: tuple[Finding, ...] = FOUND) -> tuple[Outcome, list]:
    """Work out the changes where the changed text has the findings of `after`. Also returns the overlays tried."""
    overlays = []

    def analyse(overlay: Mapping[Path, str]) -> Report:
        overlays.append({path.name: text for path, text in overlay.items()})
        left = [
            item for item in (after or []) if isinstance(item, Problem) or Path(item.location.path).resolve() in overlay
        ]
        return Report(
            tuple(item for item in left if isinstance(item, Finding)),
            tuple(item for item in left if isinstance(item, Problem)),
            2,
        )

    return work_out(Report(FOUND, (), 2), wanted, analyse), overlays


def test_all_is_well() -> None:
    outcome, overlays = run()
    assert [change.text for change in outcome.changes] == ["good 1\ngood 2\n", "good 1\n"]
    assert [change.after for change in outcome.changes] == [b"good 1\ngood 2\n", b"good 1\n"]
    assert overlays == [{"a.py": "good 1\ngood 2\n", "b.py": "good 1\n"}]
    assert outcome.refusals == ()
    assert outcome.after.findings == ()


def test_a_finding_that_stays_spoils_its_file_only() -> None:
    outcome, overlays = run(after=[finding("b.py", 1)])
    assert [change.path for change in outcome.changes] == ["a.py"]
    assert [refusal.finding for refusal in outcome.refusals] == [FOUND[2]]
    assert [list(overlay) for overlay in overlays] == [["a.py", "b.py"], ["a.py"]]


def test_a_new_finding_spoils_its_file() -> None:
    outcome, _ = run(after=[finding("a.py", 2, "LSF104")])
    assert [change.path for change in outcome.changes] == ["b.py"]


def test_a_comment_that_is_no_longer_needed_spoils_nothing() -> None:
    outcome, _ = run(after=[finding("a.py", 2, UNUSED)])
    assert [change.path for change in outcome.changes] == ["a.py", "b.py"]
    outcome, _ = run(after=[FOUND[0]], wanted=(finding("a.py", 1, UNUSED),))
    assert [change.path for change in outcome.changes] == ["a.py"]


def test_a_finding_that_was_there_before_and_not_to_be_fixed_spoils_nothing() -> None:
    outcome, _ = run(after=[FOUND[1]], wanted=(FOUND[0],))
    assert [change.text for change in outcome.changes] == ["good 1\nbad 2\n"]


def test_a_file_that_no_longer_parses_is_left_alone() -> None:
    outcome, _ = run(after=[Problem("a.py", 1, 1, "invalid syntax")])
    assert "a.py" not in [change.path for change in outcome.changes]


def test_trouble_in_an_unchanged_file_spoils_all() -> None:
    Path("c.py").touch()
    outcome, _ = run(after=[Problem("c.py", 1, 1, "?")])
    assert outcome.changes == ()
    assert len(outcome.refusals) == 3
    assert outcome.after.findings == FOUND


def test_the_fixers_refusals_are_handed_on() -> None:
    Path("a.py").write_text("bad 1\nbad 2!\n")
    outcome, _ = run(after=[FOUND[1]])
    assert [(refusal.finding, refusal.reason) for refusal in outcome.refusals] == [(FOUND[1], "no")]
    assert outcome.changes[0].fixed == (FOUND[0],)


def test_a_file_that_has_gone_is_a_refusal() -> None:
    Path("b.py").unlink()
    outcome, _ = run()
    assert [refusal.finding for refusal in outcome.refusals] == [FOUND[2]]
    assert "b.py" in outcome.refusals[0].reason


def test_nothing_wanted_means_no_second_analysis() -> None:
    outcome, overlays = run(wanted=())
    assert (outcome.changes, overlays, outcome.after.findings) == ((), [], FOUND)
