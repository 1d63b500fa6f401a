"""`check --verify`: the programs it writes fail as they say, and it says where it can write none."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopsafe.findings import Finding, Step
from loopsafe.frontends.commands.checking.verify import reproducer
from loopsafe.knowledge.load import Knowledge, built_in_packs
from loopsafe.locations import Location, Span
from tests.support.command_line import loopsafe_in

PROBES = Knowledge(built_in_packs()).probes
CODE = '''\
import asyncio
import signal
import threading


class Player:
    async def start(self):
        self.queue = asyncio.Queue()
        self.reader, self.writer = await asyncio.open_connection()
        threading.Thread(target=self.work).start()
        signal.signal(signal.SIGINT, self.stop)

    def work(self):
        self.queue.put_nowait(b"""x""")
        self.writer.write(b"")

    def stop(self, *_):
        self.queue.put_nowait(None)
'''


def run(script: Path) -> tuple[str, int, str]:
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    return script.stem, done.returncode, done.stdout + done.stderr


def test_every_probe_fails_on_a_thread_and_works_handed_over(tmp_path: Path) -> None:
    scripts = []
    for number, (api, probe) in enumerate(sorted(PROBES.items())):
        place = Location("a.py", Span(1, 1, 1, 2))
        finding = Finding(place, "LSF102", "n", "m", "certain", "thread", (Step("reaches", place, "x"),), None, api)
        scripts.append(tmp_path / f"{api.replace('.', '_')}_{number}.py")
        scripts[-1].write_text(reproducer(finding, probe), "utf-8")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, scripts))
    assert len(outcomes) >= 15
    assert [outcome for outcome in outcomes if outcome[1] != 0] == []


def test_every_probe_is_of_an_operation() -> None:
    assert set(PROBES) <= set(Knowledge(built_in_packs()).operations)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "player.py").write_text(CODE)
    return tmp_path


def test_the_programs_are_written_and_the_others_explained(project: Path) -> None:
    done = loopsafe_in(project)("check", "--output-format", "concise", "--verify", "shown", "player.py")
    assert [path.name for path in (project / "shown").iterdir()] == ["LSF102-player-14-9.py"]
    assert done.stderr.splitlines() == [
        "No reproducer for player.py:15:9: LSF106: `asyncio.WriteTransport.write` needs more around it than a small "
        "program has"
        if "WriteTransport" in done.stderr
        else "No reproducer for player.py:15:9: LSF106: `asyncio.StreamWriter.write` needs more around it than a small "
        "program has",
        "No reproducer for player.py:18:9: LSF102: its context, signal, is not to be had outside the program",
        "Wrote 1 reproducer to shown.",
    ]
    text = (project / "shown" / "LSF102-player-14-9.py").read_text()
    assert 'put_nowait(b\\"\\"\\"x\\"\\"\\")' in text
    assert "player.py:14:9" in text


def test_a_folder_that_cannot_be_made(project: Path) -> None:
    done = loopsafe_in(project)("check", "--verify", "player.py/shown")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
