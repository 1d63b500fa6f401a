"""Programs under the guard, and findings beside what was seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loopsafe.runtime.journal import read

PROGRAM = """\
import asyncio
import sys
import threading


class Sensor:
    def __init__(self):
        self.readings = asyncio.Queue()
        self.spare = asyncio.Queue()

    async def read(self):
        threading.Thread(target=self.work).start()
        getattr(threading, "Thread")(target=getattr(self, "hid" + "den")).start()
        return await self.readings.get() + await self.readings.get()

    def work(self):
        self.readings.put_nowait(1)
        if len(sys.argv) > 5:
            self.spare.put_nowait(1)

    def hidden(self):
        self.readings.put_nowait(2)


if __name__ == "__main__":
    print(asyncio.run(asyncio.wait_for(Sensor().read(), 3)), sys.argv[1:])
    sys.exit(3)
"""
# Where nothing is repaired, the program waits in vain.
PATIENT = PROGRAM.replace("3)), sys", "30)), sys")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "app.py").write_text(PROGRAM)
    return tmp_path


def play(project: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=project, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )


def loopsafe(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return play(project, sys.executable, "-m", "loopsafe", *arguments)


@pytest.mark.parametrize("program", [("app.py",), ("-m", "app")], ids=["script", "module"])
def test_run(project: Path, program: tuple[str, ...]) -> None:
    (project / "app.py").write_text(PATIENT)
    done = loopsafe(project, "run", "--json", "seen.json", "--action", "repair", *program, "-v", "--json")
    # The program's own arguments, output and exit code.
    assert (done.returncode, done.stdout) == (3, "3 ['-v', '--json']\n"), done.stderr
    assert "app.py:17: LSF102 `asyncio.Queue.put_nowait` runs on `Thread-1" in done.stderr
    assert "at 2 places, told above." in done.stderr
    assert {one.place.row for one in read((project / "seen.json").read_text().splitlines())} == {17, 22}


def test_raise(project: Path) -> None:
    (project / "app.py").write_text(PROGRAM.replace("3)), sys", "0.2)), sys"))
    done = loopsafe(project, "run", "--action", "raise", "app.py")
    assert "LoopSafetyError: app.py:17: LSF102" in done.stderr


def test_no_such_script(project: Path) -> None:
    done = loopsafe(project, "run", "none.py")
    assert (done.returncode, done.stderr) == (2, "Error: none.py: there is no such script\n")


def test_the_environment_starts_it(project: Path) -> None:
    (project / "app.py").write_text(PATIENT)
    done = play(project, sys.executable, "app.py", LOOPSAFE_GUARD="repair", LOOPSAFE_GUARD_JSON="seen.json")
    assert (done.returncode, done.stdout) == (3, "3 []\n")
    assert "app.py:17: LSF102" in done.stderr
    assert len((project / "seen.json").read_text().splitlines()) == 2


def test_the_environment_names_no_action(project: Path) -> None:
    done = play(project, sys.executable, "-c", "import asyncio", LOOPSAFE_GUARD="please")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "loopsafe: LOOPSAFE_GUARD: the action is one of report, raise, repair, not `please`\n"


def test_a_program_without_a_loop_pays_nothing(project: Path) -> None:
    text = "import sys; print(*(name for name in sys.modules if name.startswith(('loopsafe', 'asyncio'))))"
    assert play(project, sys.executable, "-c", text).stdout == "\n"
    started = play(project, sys.executable, "-c", text, LOOPSAFE_GUARD="report").stdout.split()
    assert set(started) == {"loopsafe", "loopsafe.runtime", "loopsafe.runtime.start", "loopsafe.runtime.imports"}


def test_what_the_environment_runs_first_still_runs(project: Path) -> None:
    (project / "first").mkdir()
    (project / "first" / "sitecustomize.py").write_text("print('first')")
    (project / "app.py").write_text("print('then')")
    command = (sys.executable, "-m", "loopsafe", "run", "app.py")
    assert play(project, *command, PYTHONPATH=str(project / "first")).stdout.endswith("first\nthen\n")


def test_a_python_without_loopsafe(project: Path) -> None:
    """`check --verify` starts the user's own Python, of another environment."""
    done = loopsafe(project, "check", "-q", "--verify", "--", sys.executable, "-I", "-c", "pass")
    assert "Of 2 findings 0 were seen" in done.stdout, done.stdout + done.stderr


def test_evidence(project: Path) -> None:
    loopsafe(project, "run", "--json", "seen.json", "app.py")
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert "confirmed  app.py:17:9: LSF102 was seen on `Thread-1 (work)`" in told
    assert "not seen   app.py:19:13: LSF102 did not happen in this run" in told
    (at,) = (row for row, line in enumerate(told) if line.startswith("not found  app.py:22: LSF102 `asyncio.Queue."))
    assert "no thread is known to reach `Sensor.hidden`" in told[at + 1] or "`hidden`" in told[at + 1]
    assert "`# loopsafe: thread-entry`" in told[at + 1]
    assert told[-1] == "Of 2 findings 1 were seen; 1 violations were seen and not found."


def test_what_the_annotation_says_is_found_then(project: Path) -> None:
    loopsafe(project, "run", "--json", "seen.json", "app.py")
    text = (project / "app.py").read_text().replace("def hidden(self):", "def hidden(self):  # loopsafe: thread-entry")
    (project / "app.py").write_text(text)
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert done.stdout.splitlines()[-1] == "Of 3 findings 2 were seen; 0 violations were seen and not found."


def test_verify_runs_a_command(project: Path) -> None:
    done = loopsafe(project, "check", "app.py", "--verify", "--", sys.executable, "app.py", "--select", "x")
    assert "3 ['--select', 'x']" in done.stdout
    assert "confirmed  app.py:17:9: LSF102" in done.stdout
    assert "The command ended with exit code 3." in done.stderr
    assert done.returncode == 1


def test_evidence_beside_a_format_for_programs(project: Path) -> None:
    loopsafe(project, "run", "--json", "seen.json", "app.py")
    done = loopsafe(project, "check", "--output-format", "json", "--evidence", "seen.json", "app.py")
    assert "confirmed" not in done.stdout
    assert "confirmed  app.py:17:9: LSF102" in done.stderr


@pytest.mark.parametrize("text", ["no", "{}", '{"code": "X"}', "[1]"])
def test_a_file_that_is_no_evidence(project: Path, text: str) -> None:
    (project / "seen.json").write_text(text)
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert done.returncode == 2
    assert "Error: seen.json: row 1 is not one of a guard's" in done.stderr


def test_a_command_that_is_not_there(project: Path) -> None:
    done = loopsafe(project, "check", "--verify", "--", "no-such-command")
    assert done.returncode == 2
    assert "Error: no-such-command: cannot be run" in done.stderr


MARKED = """\
import asyncio


class Ledger:  # loopsafe: loop-bound
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows.append(row)


class Desk:
    # loopsafe: runs-on=loop
    def ring(self):
        pass

    def wait(self):
        pass


def close():  # loopsafe: loop-bound
    pass
"""
USES = """\
import asyncio

import marked


async def main():
    ledger, desk = marked.Ledger(), marked.Desk()
    ledger.add(1)
    marked.close()

    def work():
        ledger.add(2)
        desk.ring()
        desk.wait()
        marked.close()

    await asyncio.to_thread(work)


asyncio.run(main())
"""


def test_what_the_project_marks(project: Path) -> None:
    (project / "marked.py").write_text(MARKED)
    (project / "uses.py").write_text(USES)
    loopsafe(project, "run", "--json", "seen.json", "uses.py")
    seen = read((project / "seen.json").read_text().splitlines())
    assert [(one.code, one.place.row, one.api) for one in seen] == [
        ("LSF108", 12, "Ledger.add"),
        ("LSF108", 13, "Desk.ring"),
        ("LSF108", 15, "marked.close"),
    ]


def test_the_command_fails(project: Path) -> None:
    (project / "app.py").write_text("pass\n")
    done = loopsafe(project, "check", "app.py", "--verify", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert (done.returncode, "exit code 3." in done.stderr) == (1, True), done.stderr
    done = loopsafe(project, "check", "app.py", "--verify", "--", sys.executable, "-c", "pass")
    assert done.returncode == 0


def test_no_command(project: Path) -> None:
    done = loopsafe(project, "check", "app.py", "--verify", "--")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--verify -- goes with a command" in done.stderr


def test_bad_evidence_is_told_before_the_check(project: Path) -> None:
    (project / "seen.json").write_text("[" * 200_000)
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: seen.json: row 1 is not one of a guard's")


def test_a_violation_inside_a_library(project: Path) -> None:
    library = project / "env" / "site-packages"
    library.mkdir(parents=True)
    (library / "sender.py").write_text("def send(queue):\n    queue.put_nowait(1)\n")
    (project / "uses.py").write_text(
        "import asyncio, sys\nsys.path.append('env/site-packages')\nimport sender\n\n\nasync def main():\n"
        "    await asyncio.to_thread(getattr(sender, 'se' + 'nd'), asyncio.Queue())\n\n\nasyncio.run(main())\n"
    )
    loopsafe(project, "run", "--json", "seen.json", "uses.py")
    done = loopsafe(project, "check", "--evidence", "seen.json", "uses.py")
    assert "in library env/site-packages/sender.py:2: LSF102 was seen there" in done.stdout, done.stdout
    assert "not found  " not in done.stdout


def test_the_file_has_changed_since(project: Path) -> None:
    loopsafe(project, "run", "--json", "seen.json", "app.py")
    (project / "app.py").write_text(f"# One row more.\n{PROGRAM}")
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert "confirmed  app.py:18:9: LSF102" in done.stdout
    (project / "app.py").write_text(PROGRAM.replace("put_nowait(1)", "put_nowait(3)"))
    done = loopsafe(project, "check", "--evidence", "seen.json", "app.py")
    assert "outdated   app.py:17: LSF102 was seen when other text stood there" in done.stdout
    assert "confirmed" not in done.stdout
