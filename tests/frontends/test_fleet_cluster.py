"""`loopsafe fleet` on Dask: the same report, also where a worker is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Cli, environment
from tests.support.fleets import BROKEN, begin, lasting, project, rows
from tests.support.index import Index
from tests.support.processes import alive, below, of_a_project, parent_of, until

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
JSON = ("--output-format", "json")


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as made:
        made.add_wheel("slow", "1.0", {"feed.py": BROKEN})
        yield made


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, index: Index) -> None:
    here = tmp_path / "here"
    for name in "ab":
        project(here / name)
    # New workers are new Pythons: what they import may lie in the working directory of who has started them.
    for name in ("multiprocessing", "distributed", "dask", "pickle", "runpy", "loopsafe"):
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'w')\n", "utf-8")
    index.hold("slow")
    asked = ("a", "slow==1.0", "b", *JSON)
    script, env = tmp_path / "script.py", index.environment()
    run = begin(here, *asked, "--dask", "--jobs", "2", "--results", "r", script=script, **env)
    # The other worker does the rest meanwhile.
    until(lambda: rows(here / "r") == 3 and index.asked)
    [process] = of_a_project(run.pid)
    worker = parent_of(process)
    assert worker != run.pid
    os.kill(worker, signal.SIGKILL)
    # What it had begun ends with it, and is begun again elsewhere.
    until(lambda: not alive(process))
    until(lambda: len(index.asked) > 1)
    started = list(below(run.pid))
    index.release()
    output, errors = run.communicate(timeout=900)
    assert run.returncode == 1, errors
    assert b"dashboard: http://127.0.0.1:" in errors
    undisturbed = begin(here, *asked, script=script, **env).communicate()[0]
    assert lasting(output.decode()) == lasting(undisturbed.decode())
    assert rows(here / "r") == 4
    assert not (tmp_path / "was run").exists()
    until(lambda: not any(map(alive, started)))


def test_ctrl_c_is_heard_once(tmp_path: Path, index: Index) -> None:
    (tmp_path / "scratch").mkdir()
    index.hold("slow")
    env = {**index.environment(), "TMPDIR": str(tmp_path / "scratch")}
    run = begin(tmp_path, "slow==1.0", "--dask", "--jobs", "1", own_group=True, **env)
    until(lambda: index.asked)
    started = list(below(run.pid))
    # To all of them, as a terminal does.
    os.killpg(run.pid, signal.SIGINT)
    errors = run.communicate(timeout=900)[1]
    assert run.returncode == 130
    assert b"Traceback" not in errors
    until(lambda: not any(map(alive, started)))
    assert not list((tmp_path / "scratch").iterdir())


def test_a_scheduler_that_runs_already(tmp_path: Path, cli: Cli) -> None:
    project(tmp_path / "a")
    (tmp_path / "where").mkdir()
    file = tmp_path / "where" / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = [*common, "--host", "127.0.0.1", "--port", "0"]
    worker = [*common, "--no-nanny", "--nthreads", "1"]
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"distributed.cli.dask_{kind}", *options],
            cwd=tmp_path / "where",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind, options in (("scheduler", scheduler), ("worker", worker))
    ]
    try:
        until(file.exists)
        address = json.loads(file.read_text("utf-8"))["address"]
        done = cli("fleet", "a", *JSON, "--scheduler", address)
        assert done.returncode == 1, done.stderr
        assert lasting(done.stdout) == lasting(cli("fleet", "a", *JSON).stdout)
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_worker_with_another_loopsafe_does_nothing() -> None:
    from loopsafe.frontends.fleet.cluster import OtherVersion, work
    from loopsafe.frontends.fleet.outcomes import Settings, identity
    from loopsafe.frontends.fleet.targets import Target
    from loopsafe.frontends.options import Selection

    settings = Settings(Selection(), 1, 1)
    with pytest.raises(OtherVersion, match=r"and not loopsafe 0\.0\.1"):
        work(Target("folder", "a", "a"), settings, {**identity(), "loopsafe": "0.0.1"})
