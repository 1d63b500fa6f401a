"""Random edits: after each, the editor shows what `check` finds in the same texts, and memory does not grow.

`LOOPSAFE_EDITS=500 python -m pytest tests/server/test_edits.py` makes more of them than the checks do.
"""

from __future__ import annotations

import ast
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.findings import Finding
from loopsafe.pipeline import analyze
from tests.server.conftest import MAIN, SENSOR, STORE, write_project
from tests.server.test_life import below
from tests.support.editor import Editor, Told, editing

EDITS = int(os.environ.get("LOOPSAFE_EDITS", "40"))
ORIGINAL = {"main": MAIN, "sensor": SENSOR, "store": STORE}
Edit = Callable[[random.Random, str, str], str]


def insert_rows(choose: random.Random, name: str, text: str) -> str:
    rows = text.split("\n")
    at = choose.randrange(len(rows))
    row = choose.choice(["", "# a remark 🐍", "x = '𝔘é'", "import os", "pass"])
    return "\n".join([*rows[:at], row, *rows[at:]])


def delete_row(choose: random.Random, name: str, text: str) -> str:
    rows = text.split("\n")
    del rows[choose.randrange(len(rows))]
    return "\n".join(rows)


def wide_characters(choose: random.Random, name: str, text: str) -> str:
    return text.replace("        self._", "        '🐍é'; self._", 1)


def repeat_row(choose: random.Random, name: str, text: str) -> str:
    rows = text.split("\n")
    at = choose.randrange(len(rows))
    return "\n".join([*rows[: at + 1], *rows[at:]])


def silence(choose: random.Random, name: str, text: str) -> str:
    rows = text.split("\n")
    at = choose.randrange(len(rows))
    rows[at] = rows[at].partition("  # noqa")[0] if "# noqa" in rows[at] else f"{rows[at]}  # noqa: LSF102"
    return "\n".join(rows)


def fix(choose: random.Random, name: str, text: str) -> str:
    return text.replace("self._readings.put_nowait(", "self._loop.call_soon_threadsafe(self._readings.put_nowait, ")


def rename(choose: random.Random, name: str, text: str) -> str:
    return text.replace("add", choose.choice(["add", "append", "put"]))


def start_over(choose: random.Random, name: str, text: str) -> str:
    return ORIGINAL[name]


MANY = [insert_rows, delete_row, wide_characters, repeat_row, silence, fix, rename, start_over, start_over]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def found_in(folder: Path) -> set[Told]:
    """What `check` tells of a folder."""
    return {told(folder, finding) for finding in analyze([folder]).findings}


def told(folder: Path, finding: Finding) -> Told:
    span = finding.location.span
    path = str(folder / finding.location.path)
    return path, span.row, span.column, finding.code, finding.confidence == "certain"


def same_place(found: set[Told], folder: Path, other: Path) -> set[Told]:
    return {(path.replace(str(folder), str(other)), *rest) for path, *rest in found}  # type: ignore[misc]


def memory_of(processes: list[int]) -> int:
    """Kilobytes that processes have in memory."""
    numbers = ",".join(map(str, processes))
    listed = subprocess.run(["ps", "-o", "rss=", "-p", numbers], capture_output=True, text=True, check=False)
    return sum(map(int, listed.stdout.split()))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_random_edits(tmp_path: Path, encoding: str) -> None:
    project, mirror = (write_project(tmp_path / name).resolve() for name in ("project", "mirror"))
    choose, compared, memory = random.Random(encoding), 0, []
    with editing(project, encodings=[encoding], options={"delay": 10}) as editor:
        uris = {name: editor.open(project / "app" / f"{name}.py") for name in ORIGINAL}
        for uri in uris.values():
            editor.looked_at(uri)
        for number in range(EDITS):
            make_an_edit(editor, uris, choose, mirror)
            if all(is_python(editor.texts[uri]) for uri in uris.values()):
                compared += 1
                assert editor.told() == same_place(found_in(mirror), mirror, project), f"edit {number}"
            if number % 10 == 9:
                memory.append(memory_of([editor.process.pid, *below(editor.process.pid)]))
        assert editor.messages() == []
    assert compared > EDITS // 4
    # Python's allocator needs a while until it has what it needs.
    settled = memory[len(memory) // 2 :]
    assert max(settled) < 1.2 * settled[0] + 20_000, memory


def make_an_edit(editor: Editor, uris: dict[str, str], choose: random.Random, mirror: Path) -> None:
    name = choose.choice(sorted(uris))
    uri = uris[name]
    text = choose.choice(MANY)(choose, name, editor.texts[uri])
    # Often several come before the server has looked at the first.
    if choose.random() < 0.3:
        editor.change(uri, f"{text}(")
    editor.change(uri, text)
    if choose.random() < 0.3:
        editor.save(uri)
    (mirror / "app" / f"{name}.py").write_text(text, "utf-8")
    editor.looked_at(uri)
