"""The case runner notices whatever differs from a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.findings import Finding, Report, Step
from loopsafe.locations import Location, Span
from tests.support.cases import Case, CaseError, known_gaps, parse, run

TEXT = """\
# Title

Prose.

## fires

```python
start()  # step: 1
middle()
end()  # error: LSF102 [certain] "end"  # step: 2
```

## two files

```python app/one.py
one()  # error: LSF101, LSF102
```

```toml pyproject.toml
[tool.loopsafe]
select = ["LSF1"]
```

## FN not yet

```python
hidden()  # missing: LSF103
```

## FP not yet

```python
innocent()  # false-alarm: LSF104
```

## silent

```python
"a string # error: LSF101"
```
"""

FIRES, TWO, MISSED, FALSE, SILENT = parse("sample.md", TEXT)


def place(folder: Path, row: int, path: str = "main.py") -> Location:
    return Location(str(folder / path), Span(row, 1, row, 2))


def finding(folder: Path, row: int, code: str, path: str = "main.py", witness: tuple[int, ...] = ()) -> Finding:
    steps = tuple(Step("calls", place(folder, at, path), "") for at in (*witness, row))
    return Finding(place(folder, row, path), code, "name", "`end` runs", "certain", "thread", steps)


def result(case: Case, folder: Path, *findings: Finding) -> list[str]:
    return run(case, folder, lambda paths: Report(findings, (), len(paths)))


def test_cases_are_read() -> None:
    assert [case.id for case in (FIRES, TWO)] == ["sample.md::fires", "sample.md::two files"]
    assert [path for path, _ in TWO.files] == ["app/one.py", "pyproject.toml"]
    assert FIRES.steps == (("main.py", 1), ("main.py", 3))


def test_agreement_is_silent(tmp_path: Path) -> None:
    assert result(FIRES, tmp_path, finding(tmp_path, 3, "LSF102", witness=(1,))) == []
    assert result(SILENT, tmp_path) == []
    assert result(MISSED, tmp_path) == []
    both = [finding(tmp_path, 1, code, "app/one.py") for code in ("LSF101", "LSF102")]
    assert result(TWO, tmp_path, *both) == []


def test_files_are_written(tmp_path: Path) -> None:
    result(TWO, tmp_path)
    assert "select" in (tmp_path / "pyproject.toml").read_text("utf-8")
    assert (tmp_path / "app" / "one.py").is_file()


def test_missing_and_unexpected_findings_are_told(tmp_path: Path) -> None:
    assert result(FIRES, tmp_path) == ['missing: main.py:3: LSF102 [certain] "end"']
    assert result(SILENT, tmp_path, finding(tmp_path, 1, "LSF101")) == [
        "unexpected: main.py:1: LSF101 [certain] `end` runs"
    ]


def test_each_finding_needs_its_own_marker(tmp_path: Path) -> None:
    twice = [finding(tmp_path, 3, "LSF102", witness=(1,))] * 2
    assert len(result(FIRES, tmp_path, *twice)) == 1


def test_wrong_witness_is_told(tmp_path: Path) -> None:
    found = result(FIRES, tmp_path, finding(tmp_path, 3, "LSF102", witness=(2,)))
    assert found == ["the witness passes main.py:2 -> main.py:3, not main.py:1 -> main.py:3"]


def test_closed_gaps_are_told(tmp_path: Path) -> None:
    assert result(MISSED, tmp_path, finding(tmp_path, 1, "LSF103")) == [
        "a known gap is closed, mark it `error`: main.py:1: LSF103"
    ]
    assert result(FALSE, tmp_path) == ["a known false alarm is gone, drop its marker: main.py:1: LSF104"]
    assert len(known_gaps([FIRES, TWO, MISSED, FALSE, SILENT])) == 2


@pytest.mark.parametrize(
    ("heading", "block"),
    [
        pytest.param("syntax", "def (", id="does not parse"),
        pytest.param("gap", "f()  # missing: LSF101", id="gap under a plain heading"),
        pytest.param("FN gap", "f()", id="no gap under a gap's heading"),
        pytest.param("marker", "f()  # error: one of them", id="unreadable marker"),
        pytest.param("steps", "f()  # step: 2", id="steps do not start at 1"),
    ],
)
def test_wrong_cases_are_refused(heading: str, block: str) -> None:
    with pytest.raises(CaseError, match=heading):
        parse("sample.md", f"## {heading}\n```python\n{block}\n```\n")


def test_a_case_needs_a_file() -> None:
    with pytest.raises(CaseError, match="at least one file"):
        parse("sample.md", "## empty\n\nprose\n")
