"""Notebooks, as `nbformat` writes them and Jupyter reads them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

import loopsafe
from loopsafe.project.notebooks import text_of
from tests.support.command_line import Cli, environment

FIRST = "%matplotlib inline\nimport asyncio, threading\n!ls -l \\\n  x\nqueue = asyncio.Queue()"
PUMP = "def pump():\n    queue.put_nowait(1)\n\nthreading.Thread(target=pump).start()\nawait queue.get()\nqueue?"
FIXABLE = (
    "%%time\nasync def wait():\n    event = asyncio.Event()\n"
    "    threading.Thread(target=event.set).start()\n    await event.wait()"
)


def write(file: Path, *cells: nbformat.NotebookNode, language: str = "python") -> None:
    """Write a notebook of a kernel."""
    kernel = {"name": "kernel", "language": language, "display_name": "Kernel"}
    notebook = new_notebook(cells=list(cells), metadata={"kernelspec": kernel})
    nbformat.validate(notebook)
    nbformat.write(notebook, file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A notebook with two findings, in a project."""
    (tmp_path / ".git").mkdir()
    file = tmp_path / "nb.ipynb"
    head = new_markdown_cell("# Title"), new_code_cell(FIRST), new_raw_cell("x")
    write(file, *head, new_code_cell(PUMP), new_code_cell(FIXABLE))
    return file


def test_places_are_told_by_cell(file: Path, cli: Cli) -> None:
    done = cli("check", ".")
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.startswith("nb.ipynb:cell 4:2:5: LSF102 `queue.put_nowait` runs on a worker thread;")
    assert re.search(r"(?m)^    starts   nb\.ipynb:cell 4:4:1  threading\.Thread\(target=pump\)$", done.stdout)
    concise = cli("check", "nb.ipynb", "--output-format", "concise").stdout.splitlines()
    assert [row.partition(" LSF")[0] for row in concise] == ["nb.ipynb:cell 4:2:5:", "nb.ipynb:cell 5:4:5:"]


def test_jupyter_finds_the_code_at_these_places(file: Path, cli: Cli) -> None:
    cells = nbformat.read(file, as_version=4).cells
    found = json.loads(cli("check", ".", "--output-format", "json").stdout)
    assert [finding["code"] for finding in found] == ["LSF102", "LSF103"]
    for finding in found:
        for place in (finding, *finding["witness"]):
            row = cells[place["cell"] - 1].source.splitlines()[place["location"]["row"] - 1]
            assert row[place["location"]["column"] - 1 :].startswith(("queue.put_nowait", "threading.Thread"))


@pytest.mark.parametrize("form", ["github", "gitlab", "junit", "pylint", "rdjson", "sarif"])
def test_formats_that_look_at_the_file_name_its_beginning_and_the_cell(form: str, file: Path, cli: Cli) -> None:
    done = cli("check", ".", "--output-format", form)
    assert (done.returncode, done.stderr) == (1, "")
    assert "cell 4:2:5" in done.stdout.replace("%3A", ":")
    # No row of the cells put together, where the operations are in rows 10 and 19.
    assert re.search(r'(line|begin|Line)"?[=:] ?"?(10|19)\b', done.stdout) is None
    assert re.search(r'(line"?[=:] ?"?|begin": |startLine": |ipynb:)1\b', done.stdout)


def test_text_shows_the_row(file: Path, cli: Cli) -> None:
    assert "          2 | queue.put_nowait(1)\n" in cli("check", ".").stdout


def test_every_row_is_where_jupyter_has_it(file: Path) -> None:
    text, cells = text_of(file.read_bytes())
    rows = text.split("\n")
    read = nbformat.read(file, as_version=4).cells
    assert [number for number, _ in cells] == [n for n, cell in enumerate(read, 1) if cell.cell_type == "code"]
    for number, first in cells:
        source = read[number - 1].source.split("\n")
        for row, written in enumerate(source):
            assert rows[first - 1 + row] in (written, "", "pass")


def test_fixes_are_declined(file: Path, cli: Cli) -> None:
    before = file.read_bytes()
    done = cli("fix", ".")
    assert "    fix      declined: its file is a notebook, and those are not rewritten\n" in done.stdout
    assert "Fixed nothing; 2 problems left." in done.stdout
    assert cli("fix", ".", "--unsafe-fixes", "--diff").stdout == ""
    told = cli("check", "--add-noqa", ".")
    assert told.returncode == 1
    assert "Not silenced nb.ipynb:cell 4:2:5: LSF102: its file is a notebook" in told.stderr
    assert file.read_bytes() == before


def test_comments_in_cells_count(file: Path, cli: Cli) -> None:
    write(file, new_code_cell(FIRST), new_code_cell(PUMP.replace("(1)", "(1)  # noqa: LSF102") + "\n1  # noqa: LSF103"))
    (row,) = cli("check", ".", "--output-format", "concise").stdout.splitlines()
    assert row.startswith("nb.ipynb:cell 2:7:4: LSF001")


def test_other_files_and_notebooks_together(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pumps.py").write_text("def pump(queue):\n    queue.put_nowait(1)\n")
    write(
        tmp_path / "nb.ipynb",
        new_code_cell("import asyncio, threading\nfrom pumps import pump\nq = asyncio.Queue()"),
        new_code_cell("threading.Thread(target=pump, args=(q,)).start()\nawait q.get()"),
    )
    for path in (".", "nb.ipynb", "pumps.py"):
        assert "starts   nb.ipynb:cell 2:1:1  " in cli("check", path).stdout
    # Nothing imports a notebook.
    (tmp_path / "pumps.py").rename(tmp_path / "other.py")
    write(tmp_path / "pumps.ipynb", new_code_cell("def pump(queue):\n    queue.put_nowait(1)"))
    assert cli("check", ".").stdout == "No problems found.\n"


def test_flake8_names_the_cell(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pumps.py").write_text("def pump(queue):\n    queue.put_nowait(1)\n")
    start = "threading.Thread(target=pump, args=(q,)).start()\nawait q.get()"
    source = f"import asyncio, threading\nfrom pumps import pump\nq = asyncio.Queue()\n{start}"
    write(tmp_path / "nb.ipynb", new_code_cell(source))
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--select", "LSF", "."],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("./pumps.py:2:5: LSF102 ")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is no notebook: "),
        (b"", "is no notebook: "),
        (b"[]", "is no notebook: "),
        (b'{"cells": [{"cell_type": "code", "source": 3}]}', "is no notebook: "),
        (b"[" * 100_000, "is no notebook: "),
        (b'{"cells": [{"cell_type": "code", "source": "\xff"}]}', "is no notebook: "),
        (b'{"cells": [], "nbformat": 3}', "is a notebook of format 3; only 4 is read"),
        (
            b'{"cells": [{"cell_type": "raw"}, {"cell_type": "code", "source": ["x = 1\\n", "y = ("]}]}',
            "cell 2:2:5: cannot parse: ",
        ),
    ],
)
def test_what_is_no_notebook_is_named(content: bytes, told: str, file: Path, cli: Cli) -> None:
    other = file.with_name("odd.ipynb")
    other.write_bytes(content)
    found = cli("check", ".")
    assert f"odd.ipynb: warning: {told}" in found.stderr
    assert "LSF102" in found.stdout
    named = cli("check", "odd.ipynb")
    assert named.returncode == 2
    assert f"odd.ipynb: {told}" in named.stderr


def test_another_language_has_no_findings(file: Path, cli: Cli) -> None:
    write(file, new_code_cell("x <- 1"), language="R")
    done = cli("check", "nb.ipynb")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No problems found.\n", "")


def test_files_that_are_found(file: Path, cli: Cli) -> None:
    kept = file.parent / ".ipynb_checkpoints"
    kept.mkdir()
    shutil.copy(file, kept / "nb-checkpoint.ipynb")
    assert cli("check", "--show-files", ".").stdout == "nb.ipynb\n"
    assert cli("check", "--extend-exclude", "*.ipynb", ".").stdout == "No problems found.\n"
    (file.parent / "loopsafe.toml").write_text("max-file-size = 100\n")
    assert "larger than 100 bytes" in cli("check", ".").stderr


def test_standard_input(file: Path, cli: Cli) -> None:
    done = cli("check", "-", "--stdin-filename", "new.ipynb", "--output-format", "concise", stdin=file.read_bytes())
    assert done.stdout.startswith("new.ipynb:cell 4:2:5: LSF102")
    assert "new.ipynb: is no notebook: " in cli("check", "-", "--stdin-filename", "new.ipynb", stdin="x").stderr


def test_a_baseline_and_git_know_notebooks(file: Path, cli: Cli) -> None:
    cli("check", "--write-baseline", "known", ".")
    notebook = nbformat.read(file, as_version=4)
    notebook.cells.insert(1, new_code_cell("x = 1"))
    nbformat.write(notebook, file)
    assert cli("check", "--baseline", "known", ".").stdout == "No problems found.\n"
    shutil.rmtree(file.parent / ".git")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=file.parent, env=environment(**who), check=True)
    assert cli("check", "--since", "HEAD", ".").stdout == "No problems found.\n"
    notebook.cells[-1].source += "\n"
    nbformat.write(notebook, file)
    assert "Found 2 problems" in cli("check", "--since", "HEAD", ".").stdout


def test_nothing_is_kept_of_what_stands_beside_the_code(file: Path, cli: Cli) -> None:
    # Facts are kept by content, and a notebook's is also a dict of Python.
    text = '{"cells": [{"cell_type": "code", "source": "import time"}]}'
    file.write_text(text)
    (file.parent / "a.py").write_text(text)
    for _ in range(2):
        assert cli("check", ".").stdout == "No problems found.\n"
    assert [one.code for one in loopsafe.analyze([file.parent]).findings] == []
