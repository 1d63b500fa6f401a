"""`loopsafe check --add-noqa`: comments where findings are, and nothing else changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import Cli, environment
from tests.support.threads import OFFENDING, SENSOR, START

HEAD = """\
import asyncio
import threading

q: asyncio.Queue[str] = asyncio.Queue()
e = asyncio.Event()


def dive() -> None:
"""
TAIL = """

async def main() -> None:
    threading.Thread(target=dive).start()
    print(await q.get(), await e.wait())"""


def program(body: str) -> str:
    """A program in which a thread runs the body."""
    return HEAD + body + TAIL


def together(side: int) -> str:
    """All bodies as one."""
    return "".join(pair[side].replace("\t", "    ") for pair in BODIES.values())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path / "a.py"


BODIES = {
    "plain": ("    q.put_nowait('')\n", "    q.put_nowait('')  # noqa: LSF102\n"),
    "two codes on one row": (
        "    q.put_nowait(''); e.set()\n",
        "    q.put_nowait(''); e.set()  # noqa: LSF102, LSF103\n",
    ),
    "beside a comment": (
        "    q.put_nowait('')  # type: ignore\n",
        "    q.put_nowait('')  # type: ignore  # noqa: LSF102\n",
    ),
    "into codes": (
        "    q.put_nowait('')  # noqa:E501 why\n",
        "    q.put_nowait('')  # noqa:E501, LSF102 why\n",
    ),
    "into codes of ours": (
        "    q.put_nowait(''); e.set()  # noqa: LSF103\n",
        "    q.put_nowait(''); e.set()  # noqa: LSF103, LSF102\n",
    ),
    "string of several rows": (
        '    q.put_nowait("""\n    ping\n    """)\n',
        '    q.put_nowait("""\n    ping\n    """)  # noqa: LSF102\n',
    ),
    "f-string of several rows": (
        '    q.put_nowait(f"""\n    {1}\n    """)\n',
        '    q.put_nowait(f"""\n    {1}\n    """)  # noqa: LSF102\n',
    ),
    "in brackets": (
        "    print(\n        q.put_nowait(''),\n    )\n",
        "    print(\n        q.put_nowait(''),  # noqa: LSF102\n    )\n",
    ),
    "backslash": (
        "    q.put_nowait('') or \\\n        1\n",
        "    q.put_nowait('') or \\\n        1  # noqa: LSF102\n",
    ),
    "two on a line of several rows": (
        "    q.put_nowait('') or \\\n        e.set()\n",
        "    q.put_nowait('') or \\\n        e.set()  # noqa: LSF102, LSF103\n",
    ),
    "comment below a backslash": (
        "    q.put_nowait('') \\\n  # noqa: E501\n",
        "    q.put_nowait('') \\\n  # noqa: E501, LSF102\n",
    ),
    "tabs and form feeds": (
        "\tq.put_nowait('')\t\n\x0c\tq.full()\n",
        "\tq.put_nowait('')\t  # noqa: LSF102\n\x0c\tq.full()\n",
    ),
}
LAYOUTS = {
    "as it is": lambda text: text.encode(),
    "carriage returns": lambda text: text.replace("\n", "\r\n").encode(),
    "lone carriage returns": lambda text: text.replace("\n", "\r").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "another encoding": lambda text: ("# coding: latin-1\n# größer\n" + text).encode("latin-1"),
}


@pytest.mark.parametrize("body", BODIES)
def test_comments_are_added(body: str, file: Path, cli: Cli) -> None:
    before, after = BODIES[body]
    file.write_text(program(before), newline="")
    done = cli("check", "--add-noqa", ".")
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_bytes().decode() == program(after)
    assert cli("check", ".").stdout == "No problems found.\n"
    assert cli("check", "--add-noqa", ".").stderr == "Silenced 0 problems.\n"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_other_bytes_stay(layout: str, file: Path, cli: Cli) -> None:
    before, after = (LAYOUTS[layout](program(together(side))) for side in (0, 1))
    file.write_bytes(before)
    os.chmod(file, 0o640)
    assert cli("check", "--add-noqa", ".").returncode == 0
    assert file.read_bytes() == after
    assert file.stat().st_mode & 0o777 == 0o640


def test_flake8_takes_them(file: Path, cli: Cli) -> None:
    file.write_text(program(together(0)))
    cli("check", "--add-noqa", ".")
    command = [sys.executable, "-m", "flake8", "--select", "LSF", "."]
    done = subprocess.run(
        command, cwd=file.parent, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_what_cannot_be_placed_is_named(file: Path, cli: Cli) -> None:
    text = program('    q.put_nowait("# noqa: E501")\n    e.set()\n')
    file.write_text(text)
    done = cli("check", "--add-noqa", ".")
    assert done.returncode == 1
    told = "a string there says `# noqa`, and only the first of a line counts"
    assert done.stderr == f"Not silenced a.py:9:5: LSF102: {told}\nSilenced 1 problem.\n"
    assert file.read_text() == text.replace("e.set()", "e.set()  # noqa: LSF103")


def test_only_what_is_named_is_written(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "start.py").write_text(START)
    (tmp_path / "sensor.py").write_text(SENSOR)
    done = cli("check", "--add-noqa", "start.py")
    assert done.returncode == 1
    assert f"Not silenced {OFFENDING}: LSF102: its file was not named" in done.stderr
    assert ((tmp_path / "start.py").read_text(), (tmp_path / "sensor.py").read_text()) == (START, SENSOR)
    assert cli("check", "--add-noqa", "sensor.py").returncode == 0
    assert cli("check", "-q", ".").stdout == ""


def test_unused_comments_get_none(file: Path, cli: Cli) -> None:
    file.write_text("x = 1  # noqa: LSF102\n")
    assert cli("check", "--add-noqa", ".").stderr == "Silenced 0 problems.\n"
    assert file.read_text() == "x = 1  # noqa: LSF102\n"


def test_what_cannot_be_written_is_named(file: Path, cli: Cli) -> None:
    file.write_text(program("    e.set()\n"))
    file.chmod(0o444)
    done = cli("check", "--add-noqa", ".")
    assert done.returncode == 2
    assert "a.py is read-only" in done.stderr
    assert file.read_text() == program("    e.set()\n")


def test_what_is_known_or_not_selected_gets_none(file: Path, cli: Cli) -> None:
    text = program("    e.set()\n    q.put_nowait('')\n")
    file.write_text(text)
    cli("check", "--add-noqa", "--select", "LSF103", ".")
    assert file.read_text() == text.replace("e.set()", "e.set()  # noqa: LSF103")
    cli("check", "--write-baseline", "known", ".")
    assert cli("check", "--add-noqa", "--baseline", "known", ".").stderr == "Silenced 0 problems.\n"


def test_it_goes_with_files_only(cli: Cli) -> None:
    assert "--add-noqa goes with" in cli("check", "--add-noqa", "-", stdin="x").stderr
    assert "--add-noqa goes with" in cli("check", "--add-noqa", "--fix", ".").stderr
