"""`loopsafe fix -`: the text that comes in goes out fixed, for editors."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import Cli

BROKEN = """import asyncio
import threading


class Reader:
    async def start(self):
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()
        threading.Thread(target=self.work).start()
        print(await self.queue.get())

    def work(self):
        self.queue.put_nowait("größer")
"""
FIXED = BROKEN.replace("self.queue.put_nowait(", "self.loop.call_soon_threadsafe(self.queue.put_nowait, ")


def test_the_fixed_text_alone_is_printed(cli: Cli, tmp_path: Path) -> None:
    done = cli("fix", "-", "--stdin-filename", "app/reader.py", stdin=BROKEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, FIXED, "")
    assert not list(tmp_path.rglob("*.py"))


def test_it_stands_in_for_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "reader.py").write_text("x = 1\n")
    done = cli("fix", "-", "--stdin-filename", "reader.py", stdin=BROKEN)
    assert done.stdout == FIXED
    assert (tmp_path / "reader.py").read_text() == "x = 1\n"


def test_bytes_stay_as_they_are(cli: Cli) -> None:
    done = cli("fix", "-", stdin=BROKEN.replace("\n", "\r\n").encode("utf-8-sig"))
    assert done.stdout == "\ufeff" + FIXED.replace("\n", "\r\n")


def test_what_is_right_comes_out_again(cli: Cli) -> None:
    assert cli("fix", "-", stdin="x = 1\n").stdout == "x = 1\n"


def test_what_cannot_be_parsed_comes_out_again(cli: Cli) -> None:
    done = cli("fix", "-", stdin="x = (\n")
    assert (done.returncode, done.stdout) == (2, "x = (\n")
    assert done.stderr.startswith("stdin.py:1:5: ")


def test_it_goes_with_no_other_output(cli: Cli) -> None:
    done = cli("fix", "-", "--diff", stdin=BROKEN)
    assert done.returncode == 2
    assert "standard input" in done.stderr
