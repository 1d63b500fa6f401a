"""The wild benchmark scores any tool's findings by statement, and the project's own as docs/accuracy.md does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.accuracy import labels as cases
from benchmarks.accuracy.releases import Release, read_pins
from benchmarks.accuracy.run import PACKAGES
from benchmarks.accuracy.verdicts import Verdict
from benchmarks.wild import labels, others, run, score, scoring, sources
from benchmarks.wild.findings import Found, read_findings, write_findings
from tests.benchmarks.test_accuracy import BROKEN

RELEASE = "pump==1"
LINE = "self._queue.put_nowait("


def found(line: int, code: str = "X1", path: str = "pump.py") -> Found:
    return Found(RELEASE, path, line, code, "certain")


def label(line: int, verdict: str = "true", code: str = "LSF102") -> labels.Label:
    harm = "late" if verdict == "true" else None
    return labels.Label(RELEASE, "pump.py", line, code, "_pump", "start", "", verdict, harm, "sure", "why")  # type: ignore[arg-type]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pump-1"
    folder.mkdir()
    (folder / "pump.py").write_text(BROKEN, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("one", "is_about"),
    [
        pytest.param(found(14), True, id="the line itself"),
        pytest.param(found(16), True, id="another line of the statement"),
        pytest.param(found(11), False, id="another statement"),
        pytest.param(found(14, path="other.py"), False, id="another file"),
        pytest.param(Found("pump==2", "pump.py", 14), False, id="another release"),
    ],
)
def test_a_finding_is_about_the_label_of_its_statement(package: Path, one: Found, is_about: bool) -> None:
    result = scoring.score([one], [label(14)], {RELEASE: package}.get)
    assert result.labels == ((label(14), is_about),)
    assert result.findings == ((one, label(14) if is_about else None),)


def test_only_the_very_line_counts_without_the_source() -> None:
    result = scoring.score([found(14), found(15)], [label(14)], {}.get)
    assert [about is not None for _, about in result.findings] == [True, False]


def test_of_two_labels_that_with_the_code_of_the_finding_is_taken(package: Path) -> None:
    both = [label(14, "true", "LSF102"), label(14, "false", "LSF105")]
    result = scoring.score([found(14, "LSF105"), found(14, "X1")], both, {RELEASE: package}.get)
    assert [about and about.verdict for _, about in result.findings] == ["false", "true"]


def test_the_report_counts_what_is_judged_and_what_is_true(package: Path) -> None:
    all_labels = [label(11), label(14), label(7, "false")]
    text = scoring.report(scoring.score([found(14), found(7), found(1)], all_labels, {RELEASE: package}.get))
    assert "| all findings | 1 | 1 | 0 | 1 | 50% |" in text
    assert "| rule: X1 | 1 | 1 | 0 | 1 | 50% |" in text
    assert "| confidence: certain | 1 | 1 | 0 | 1 | 50% |" in text
    assert "| all true labels | 2 | 1 | 50% |" in text
    assert "| harm: late | 2 | 1 | 50% |" in text


def test_the_projects_own_labels_are_scored_as_its_own_benchmark_does(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = cases.Label("pump", RELEASE, "pump.py", (11, 14), "thread", "module", "asyncio")
    verdict = Verdict(RELEASE, "pump.py", "LSF102", LINE, "true", "why")
    monkeypatch.setattr(cases, "read_labels", lambda: [case])
    monkeypatch.setattr(score, "read_pins", lambda _: [Release("pump", "1")])
    monkeypatch.setattr(score, "read_verdicts", lambda: {verdict.key: verdict})
    text = score.own([found(14, "LSF102")], package.parent)
    assert "| all cases | 1 | 0 | 1 | 0 |\n| asyncio, origin visible in code | 1 | 0 | 1 | 0 |" in text
    assert "| all findings | 1 | 0 | 0 | 0 | 100% |" in text


def test_findings_are_written_and_read(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    write_findings(file, [found(2), found(1)])
    assert read_findings(file) == [found(1), found(2)]
    file.write_text(f'{json.dumps({"release": RELEASE, "path": "pump.py", "line": 3})}\n{{"line": 4}}\n', "utf-8")
    with pytest.raises(ValueError, match=r"found\.jsonl:2: not a finding"):
        read_findings(file)


def test_the_real_command_is_run_on_the_packages(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = package.parent / "found.jsonl"
    run.run({Release("pump", "1"): package}, file, ("--jobs", "1"))
    assert [(one.release, one.path, one.line, one.code) for one in read_findings(file)] == [
        (RELEASE, "pump.py", 14, "LSF102")
    ]
    assert capsys.readouterr().out.startswith(f"1 packages, 1 files, {BROKEN.count(chr(10))} lines, 1 findings\n")


def test_what_other_tools_print_is_read(package: Path) -> None:
    release = Release("pump", "1")
    ruff = [{"filename": str(package / "pump.py"), "code": "ASYNC210", "location": {"row": 3}, "message": "no"}]
    broken = [{"filename": str(package / "pump.py"), "code": None, "location": {"row": 3}, "message": "no"}]
    semgrep = {"results": [{"path": "pump.py", "check_id": "a.b.x", "start": {"line": 3}, "extra": {"message": "no"}}]}
    assert list(others.from_ruff(release, package, json.dumps(ruff + broken))) == [
        Found(RELEASE, "pump.py", 3, "ASYNC210", "", "no")
    ]
    assert list(others.from_flake8(release, package, "./pump.py|3|ASYNC210| no | never\n")) == [
        Found(RELEASE, "pump.py", 3, "ASYNC210", "", "no | never")
    ]
    assert list(others.from_semgrep(release, package, json.dumps(semgrep))) == [
        Found(RELEASE, "pump.py", 3, "x", "", "no")
    ]


def test_a_tool_that_fails_is_no_tool_without_findings(package: Path) -> None:
    tool = others.Tool((), ("sh", "-c", "echo broken >&2; exit 2"), others.from_flake8)
    with pytest.raises(RuntimeError, match="pump==1: sh: broken"):
        tool.findings(Path("/bin"), Release("pump", "1"), package)


def test_packages_are_pinned_once_by_digest_and_unknown_to_the_other_benchmark() -> None:
    pinned = sources.pinned()
    assert len(pinned) >= 230
    assert len({release.name for release in pinned}) == len(pinned)
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in pinned.values())
    unseen = PACKAGES.with_name("unseen.txt").read_text("utf-8").split()
    assert not {release.name for release in pinned} & {*unseen, *(release.name for release in read_pins(PACKAGES))}


def test_labels_are_whole_and_of_packages_of_the_benchmark() -> None:
    pinned = {str(release) for release in sources.pinned()}
    for one in labels.read_labels():
        assert one.release in pinned
        assert one.verdict in ("true", "false", "unsure")
        assert one.harm in ("hang", "lost", "late", "harmless", None)
        assert (one.harm is None) == (one.verdict != "true")
        assert one.reason
