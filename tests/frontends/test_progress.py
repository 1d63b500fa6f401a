"""What a run says of itself while it works: how far it is, what it reads, and that it ends at once when told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, Cli, environment
from tests.support.terminal import on_a_terminal

# The display, with work that is done by the clock.
DISPLAY = """
import sys, time
from loopsafe.frontends.progress import progress
pause = float(sys.argv[1])
with progress(quiet=False) as show:
    for stage, steps, total in (("Reading files", 5, 5), ("Following values", 3, 0)):
        for done in range(1, steps + 1):
            time.sleep(pause)
            if show:
                show(stage, done * 1000, total * 1000)
"""
# The command itself, with a display that has no patience.
AT_ONCE = """
import sys
import loopsafe.frontends.progress as progress
progress._PATIENCE = progress._BETWEEN_DRAWINGS = 0
from loopsafe.__main__ import main
main()
"""
# The command, which tells when it has been at something for a while.
TELLING = """
import sys
import loopsafe.frontends.progress as progress
stage, times = sys.argv.pop(1), int(sys.argv.pop(1))
class Telling(progress.ProgressBar):
    calls = 0
    def __call__(self, what, done, total):
        if what == stage:
            self.calls += 1
            if self.calls == times:
                print("here", flush=True)
progress.ProgressBar = Telling
sys.stderr.isatty = lambda: True
from loopsafe.__main__ import main
main()
"""
STAGES = ("Reading files", "Following values")
BROKEN = ROOT / "examples" / "broken" / "thread_queue.py"


def write_long(folder: Path, modules: int, methods: int) -> None:
    """A project that takes seconds to read, and seconds to follow the values in."""
    (folder / "pyproject.toml").write_text("[tool.loopsafe]\n")
    calls = "".join(
        f"    def f{n}(self, a):\n        b = [a, self.q]\n        for c in b:\n"
        f"            self.f{n + 1}(c)\n            self.f{n + 1}(b)\n"
        for n in range(methods)
    )
    for number in range(modules):
        (folder / f"m{number}.py").write_text(
            "import asyncio, threading\n"
            f"class A{number}:\n"
            "    def __init__(self):\n"
            "        self.q = asyncio.Queue()\n"
            "        threading.Thread(target=self.f0, args=(self,)).start()\n"
            f"{calls}"
            f"    def f{methods}(self, a):\n"
            "        self.q.put_nowait(a)\n"
        )


class TestDisplay:
    @pytest.mark.parametrize(("pause", "shown"), [("0", False), ("0.2", True)], ids=["short work", "long work"])
    def test_both_halves_on_a_terminal(self, pause: str, shown: bool, tmp_path: Path) -> None:
        output = on_a_terminal(tmp_path, {}, "-c", DISPLAY, pause).decode()
        assert all((stage in output) is shown for stage in STAGES)
        # Of the first half a share is known, of the second no more than how much was done.
        assert ("4,000 of 5,000" in output) is shown
        assert ("3,000" in output) is shown
        assert "5,000 of 5,000" not in output
        assert "%" not in output

    @pytest.mark.parametrize("env", [{"TERM": "dumb"}], ids=str)
    def test_not_where_it_cannot_be_drawn(self, env: dict[str, str], tmp_path: Path) -> None:
        assert on_a_terminal(tmp_path, env, "-c", DISPLAY, "0.2") == b""

    def test_not_in_a_pipe(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", DISPLAY, "0.2"]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("", "")

    def test_of_a_real_run(self, tmp_path: Path) -> None:
        write_long(tmp_path, modules=12, methods=40)
        output = on_a_terminal(tmp_path, {}, "-c", AT_ONCE, "check", "--no-cache").decode()
        read = {(int(done), int(of)) for done, of in re.findall(r"(\d+) of (\d+)", output)}
        assert read
        assert all(done < of == 12 for done, of in read)
        followed = [int(count.replace(",", "")) for count in re.findall(r"Following values.*?(\d+,\d{3})", output)]
        assert len(followed) > 1
        assert followed == sorted(followed)
        assert "%" not in output
        assert "Found 12 problems" in output


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux, to tell what a process has worked")
@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_ends_each_half_at_once(stage: str, tmp_path: Path) -> None:
    write_long(tmp_path, modules=40, methods=80)
    # A shell's background job ignores Ctrl-C, and so would the command if the tests run in one.
    program = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{TELLING}"
    command = [sys.executable, "-c", program, stage, "5", "check", "--no-cache"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        before = worked(process.pid)
        output, errors = process.stdout.read(), process.stderr.read()
        interrupted = ended(process)
    assert (process.returncode, output, errors.strip()) == (130, "", "")

    command = [sys.executable, "-m", "loopsafe", "check", "--no-cache", "-q"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL) as process:
        whole = ended(process)
    assert process.returncode == 1
    # In seconds of the processor: on a busy machine the clock says nothing.
    assert interrupted - before < (whole - before) / 2


def worked(process: int) -> float:
    """The seconds that a process has worked so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process. Returns the seconds that it has worked."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


class TestVerbose:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nselect = ["LSF1"]\n')
        (tmp_path / "a.py").write_text(BROKEN.read_text("utf-8"))
        (tmp_path / "b.py").write_text("")
        return tmp_path

    def told(self, cli: Cli, *arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> list[str]:
        lines = cli(*arguments, "-v", env=env, stdin=stdin).stderr.splitlines()
        return [line.strip() for line in lines if line.startswith(("project: ", "  "))]

    def test_what_is_read_and_what_the_cache_had(self, cli: Cli, project: Path, tmp_path: Path) -> None:
        env = {"LOOPSAFE_CACHE_DIR": str(tmp_path / "kept")}
        first, second = (self.told(cli, "check", "a.py", "--no-dependencies", env=env) for _ in range(2))
        assert first[:4] == [
            f"project: {project}",
            "configuration: pyproject.toml [tool.loopsafe]",
            "environment: none",
            "files: 1 to report on, of 2 that are read",
        ]
        kept = re.escape(str(tmp_path / "kept" / "loopsafe"))
        assert re.fullmatch(rf"cache: {kept}/\w+ has no report on the files as they are", first[4])
        assert second[:4] == first[:4]
        assert re.fullmatch(rf"cache: {kept}/\w+ had the report", second[4])
        (project / "b.py").write_text("x = 1\n")
        assert self.told(cli, "check", "a.py", "--no-dependencies", env=env)[4] == first[4]

    def test_each_project_has_its_own(self, cli: Cli, project: Path) -> None:
        inner = project / "inner"
        inner.mkdir()
        (inner / "pyproject.toml").write_text("[tool.loopsafe]\n")
        (inner / "c.py").write_text("")
        told = self.told(cli, "check", "--no-cache", ".")
        assert [line for line in told if line.startswith("project")] == [f"project: {project}", f"project: {inner}"]
        assert told.count("cache: none: --no-cache") == 2

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["check", "--no-cache"], "--no-cache"),
            (["check", "--profile"], "--profile takes the time of the whole work"),
            (["check", "--fix"], "--fix looks at files as they are now"),
            (["fix", "--diff"], "this command looks at files as they are now"),
            (["check", "-", "--stdin-filename", "a.py"], "text stands in for a file"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_why_the_cache_is_not_asked(self, arguments: list[str], reason: str, cli: Cli, project: Path) -> None:
        told = self.told(cli, *arguments)
        assert [line for line in told if line.startswith("cache: ")] == [f"cache: none: {reason}"]

    def test_why_there_is_none(self, cli: Cli, project: Path, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "loopsafe").write_text("a file")
        env = {"LOOPSAFE_CACHE_DIR": str(tmp_path / "other")}
        [line] = [line for line in self.told(cli, "check", env=env) if line.startswith("cache: ")]
        assert re.fullmatch(rf"cache: none: .+: {re.escape(str(tmp_path / 'other' / 'loopsafe'))}", line)
        (project / "pyproject.toml").unlink()
        assert any("depends on what the script imports" in line for line in self.told(cli, "check", "a.py"))

    def test_where_no_configuration_is_read(self, cli: Cli, project: Path) -> None:
        assert "configuration: none, by --isolated" in self.told(cli, "check", "--isolated")
        assert "configuration: pyproject.toml, by --config" in self.told(cli, "check", "--config", "pyproject.toml")
        (project / "pyproject.toml").write_text("")
        assert "configuration: none" in self.told(cli, "check")

    def test_standard_output_stays_the_same(self, cli: Cli, project: Path) -> None:
        for name in ("json", "text"):
            assert cli("check", "--output-format", name, "-v").stdout == cli("check", "--output-format", name).stdout
        assert cli("check").stderr == ""
