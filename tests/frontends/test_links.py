"""Links: a file with two names is reported and fixed once, and no link leads what is written out of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import Cli, environment, loopsafe_in

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links that anyone may make")

BAD = """\
import asyncio
import threading


class Reader:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()
        threading.Thread(target=self.work).start()

    def work(self):
        self.queue.put_nowait(1)
"""
GOOD = BAD.replace("self.queue.put_nowait(1)", "self._loop.call_soon_threadsafe(self.queue.put_nowait, 1)")
FINDING = ":12:9: LSF102 `self.queue.put_nowait` runs on a worker thread; use `self._loop.call_soon_threadsafe`\n"
MARK = "keep this"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    file = tmp_path / "outside" / "mine.py"
    file.parent.mkdir()
    file.write_text(BAD)
    return file


@pytest.fixture
def run(project: Path) -> Cli:
    return loopsafe_in(project)


@pytest.mark.parametrize("argument", [".", "link.py", "deep", "real.py"])
def test_a_file_and_its_links_are_one(argument: str, project: Path, run: Cli) -> None:
    (project / "real.py").write_text(BAD)
    (project / "link.py").symlink_to("real.py")
    (project / "deep").mkdir()
    (project / "deep" / "linked.py").symlink_to("../link.py")
    done = run("check", "--output-format", "concise", argument)
    assert (done.stdout, done.stderr, done.returncode) == (f"real.py{FINDING}", "", 1)
    assert run("fix", argument).stdout.endswith("Fixed 1 problem; none left.\n")
    assert (project / "link.py").is_symlink()
    assert (project / "deep" / "linked.py").is_symlink()
    assert (project / "real.py").read_text() == GOOD
    assert run("fix", argument).stdout == "Nothing to fix.\n"


def test_a_link_is_a_module_of_its_own_name(project: Path, run: Cli) -> None:
    (project / "shared").mkdir()
    (project / "shared" / "queues.py").write_text("import asyncio\n\n\nclass Feed(asyncio.Queue):\n    pass\n")
    (project / "linked.py").symlink_to("shared/queues.py")
    (project / "a.py").write_text(
        BAD.replace("asyncio.Queue()", "linked.Feed()").replace("import th", "import linked\nimport th")
    )
    assert "a.py:13:9: LSF102" in run("check", "--output-format", "concise").stdout


def test_a_linked_file_that_is_excluded(project: Path, run: Cli) -> None:
    (project / "build").mkdir()
    (project / "build" / "real.py").write_text(BAD)
    (project / "link.py").symlink_to("build/real.py")
    assert run("check", "--output-format", "concise").stdout == f"build/real.py{FINDING}"
    run("fix")
    assert (project / "build" / "real.py").read_text() == GOOD


def test_a_link_out_of_the_project_is_not_followed(project: Path, outside: Path, run: Cli) -> None:
    (project / "link.py").symlink_to(outside)
    (project / "a.py").write_text(BAD)
    warning = f"link.py: warning: is not read: it is a link that leads out of the project, to {outside}\n"
    for command in ("check", "fix"):
        # Twice: the second report comes from the cache.
        for _ in range(2):
            done = run(command)
            assert done.stderr == warning
            assert "mine.py" not in done.stdout
    assert outside.read_text() == BAD
    assert (project / "a.py").read_text() == GOOD


@pytest.mark.parametrize("named", ["link.py", "folder/mine.py"])
def test_a_link_out_of_the_project_that_is_named_is_reported_and_not_fixed(
    named: str, project: Path, outside: Path, run: Cli
) -> None:
    (project / "link.py").symlink_to(outside)
    (project / "folder").symlink_to(outside.parent, target_is_directory=True)
    done = run("check", ".", named)
    assert f"{outside}{FINDING}" in done.stdout
    assert "    fix      declined: its file lies outside the project, where a link leads\n" in done.stdout
    for command in (["fix", ".", named], ["fix", "--unsafe-fixes", ".", named], ["check", "--fix", ".", named]):
        run(*command)
        assert outside.read_text() == BAD


def test_a_file_elsewhere_is_fixed_where_it_is_named_itself(outside: Path, run: Cli) -> None:
    run("fix", "../outside/mine.py")
    assert outside.read_text() == GOOD


def test_a_file_with_two_names_is_left(project: Path, run: Cli, outside: Path) -> None:
    (project / "a.py").hardlink_to(outside)
    done = run("fix")
    assert done.stderr == "a.py has other names (hard links), which would keep the old text\n"
    assert done.returncode == 2
    assert outside.read_text() == (project / "a.py").read_text() == BAD


def test_the_codemod_does_not_follow_a_link_out(project: Path, outside: Path) -> None:
    (project / "link.py").symlink_to(outside)
    command = "-x", "loopsafe.frontends.codemod.UseCallSoonThreadsafe", "--no-format", "link.py"
    done = subprocess.run(
        [sys.executable, "-m", "libcst.tool", "codemod", *command],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "it is a link that leads out of the project" in done.stdout + done.stderr
    assert outside.read_text() == BAD


OUTPUTS = [["check", "-o"], ["check", "--output-format", "json", "-o"], ["graph", "-o"]]


@pytest.mark.parametrize("command", OUTPUTS, ids=" ".join)
class TestOutputFile:
    @pytest.fixture(autouse=True)
    def _source(self, project: Path) -> None:
        (project / "a.py").write_text(BAD)

    def test_a_link_out_of_the_project_is_not_followed(self, command: list[str], project: Path, run: Cli) -> None:
        victim = project.parent / "victim"
        victim.write_text(MARK)
        (project / "out").symlink_to(victim)
        (project / "folder").symlink_to(project.parent, target_is_directory=True)
        for name in ("out", "folder/victim", "folder/new"):
            done = run(*command, name)
            assert done.returncode == 2
            assert done.stderr.startswith(
                f"Error: {name}: cannot be written: a link there leads out of the project, to "
            )
        assert victim.read_text() == MARK
        assert sorted(path.name for path in project.parent.iterdir()) == ["project", "victim"]

    def test_a_link_of_the_users_is_followed(self, command: list[str], project: Path, run: Cli) -> None:
        target, link = project.parent / "target", project.parent / "link"
        target.write_text(MARK)
        target.chmod(0o640)
        link.symlink_to(target)
        run(*command, link)
        assert link.is_symlink()
        assert "LSF102" in target.read_text()
        assert target.stat().st_mode & 0o777 == 0o640
        assert sorted(path.name for path in project.parent.iterdir()) == ["link", "project", "target"]

    def test_pipes_are_written_to(self, command: list[str], run: Cli) -> None:
        assert "LSF102" in run(*command, "/dev/stdout").stdout

    def test_a_failure_leaves_the_old_one(self, command: list[str], project: Path, run: Cli) -> None:
        (project / "out").write_text(MARK)
        (project / "out").chmod(0o444)
        if not os.access(project / "out", os.W_OK):
            assert "Permission denied" in run(*command, "out").stderr
            assert (project / "out").read_text() == MARK
        (project / "folder").mkdir()
        assert "cannot be written" in run(*command, "folder").stderr


class TestReproducers:
    NAME = "LSF102-a-12-9.py"

    @pytest.fixture(autouse=True)
    def _source(self, project: Path) -> None:
        (project / "a.py").write_text(BAD)

    def test_a_link_out_of_the_project_is_not_followed(self, project: Path, outside: Path, run: Cli) -> None:
        (project / "shown").symlink_to(outside.parent, target_is_directory=True)
        for folder in ("shown", "shown/deeper"):
            done = run("check", "-q", "--verify", folder)
            assert "a link there leads out of the project" in done.stderr
            assert done.returncode == 2
        assert list(outside.parent.iterdir()) == [outside]

    @pytest.mark.parametrize("inside", [True, False])
    def test_names_that_are_links_are_left(self, inside: bool, project: Path, outside: Path, run: Cli) -> None:
        target = project / "a.py" if inside else outside
        (project / "shown").mkdir()
        (project / "shown" / self.NAME).symlink_to(target)
        done = run("check", "--verify", "shown", "a.py")
        assert f"No reproducer for a.py:12:9: LSF102: {project / 'shown' / self.NAME} is a link\n" in done.stderr
        assert "Wrote 0 reproducers" in done.stderr
        assert target.read_text() == BAD

    def test_files_of_others_are_left_and_our_own_renewed(self, project: Path, run: Cli) -> None:
        file = project / "shown" / self.NAME
        file.parent.mkdir()
        file.write_text(MARK)
        assert (
            "is there already and was not written by this command" in run("check", "--verify", "shown", "a.py").stderr
        )
        assert file.read_text() == MARK
        file.unlink()
        for _ in range(2):
            assert "Wrote 1 reproducer to shown." in run("check", "--verify", "shown", "a.py").stderr
        assert list(file.parent.iterdir()) == [file]

    def test_names_that_would_come_to_the_same(self, project: Path, run: Cli) -> None:
        for name in ("b b.py", "b\nb.py", "b" * 200 + ".py"):
            (project / name).write_text(BAD)
        run("check", "--verify", "shown")
        names = [path.name for path in (project / "shown").iterdir()]
        assert len(names) == 4
        assert all(name.isprintable() and " " not in name for name in names)
