"""`pytest --loopsafe`, as a user starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopsafe.runtime.journal import read

TESTS = """\
import asyncio
import threading

import pytest


async def put_off_loop():
    queue = asyncio.Queue()
    await asyncio.to_thread(lambda: queue.put_nowait(1))
    return queue.qsize()


def test_right():
    async def main():
        queue, loop = asyncio.Queue(), asyncio.get_running_loop()
        await asyncio.to_thread(lambda: loop.call_soon_threadsafe(queue.put_nowait, 1))
        assert await queue.get() == 1

    asyncio.run(main())


def test_wrong():
    asyncio.run(put_off_loop())


def test_wrong_as_well():
    asyncio.run(put_off_loop())


@pytest.mark.loopsafe(ignore="LSF102")
def test_ignored():
    assert asyncio.run(put_off_loop()) == 1


@pytest.mark.loopsafe(ignore=["LSF101", "LSF103"])
def test_other_codes_ignored():
    asyncio.run(put_off_loop())


@pytest.fixture
def late():
    yield
    asyncio.run(put_off_loop())


def test_in_its_teardown(late):
    pass
"""
FAILING = ["test_other_codes_ignored", "test_wrong", "test_wrong_as_well"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def play(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=600, check=False)


def failed(done: subprocess.CompletedProcess[str]) -> list[str]:
    return sorted(re.findall(r"^FAILED test_it\.py::([\w\[\]-]+)", done.stdout, re.M))


@pytest.mark.parametrize("option", ["--loopsafe", "--loopsafe=report"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_a_violation_fails_its_test(project: Path, option: str, workers: tuple[str, ...]) -> None:
    done = play(project, option, "test_it.py", "--loopsafe-json", "seen.json", *workers)
    assert done.returncode == 1, done.stdout
    assert failed(done) == FAILING
    assert "ERROR test_it.py::test_in_its_teardown" in done.stdout
    # The offending row comes first, the code with it.
    assert re.search(
        r"_ test_wrong _+\n(?:\[gw.*\n)?test_it\.py:9: LSF102 `asyncio\.Queue\.put_nowait` runs on", done.stdout
    )
    assert re.search(r"=+ loopsafe =+\ntest_it\.py:9: LSF102 .*and 3 more\)\n", done.stdout)
    seen = read((project / "seen.json").read_text().splitlines())
    assert [(one.code, one.place.row) for one in seen] == [("LSF102", 9)]


def test_raising(project: Path) -> None:
    done = play(project, "--loopsafe=raise", "test_it.py")
    assert failed(done) == FAILING
    assert "LoopSafetyError: test_it.py:9: LSF102" in done.stdout


def test_without_the_option_nothing_happens(project: Path) -> None:
    done = play(project)
    assert done.returncode == 0
    assert not re.search("LSF|off its thread", done.stdout)


def test_nothing_to_tell(project: Path) -> None:
    done = play(project, "--loopsafe", "-k", "right or ignored and not other")
    assert done.returncode == 0
    assert "loopsafe: no object of a loop was touched off its thread." in done.stdout


def test_outside_of_tests(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import asyncio\n\n\ndef pytest_sessionfinish():\n"
        "    async def main():\n        event = asyncio.Event()\n        await asyncio.to_thread(event.set)\n\n"
        "    asyncio.run(main())\n"
    )
    done = play(project, "--loopsafe", "-k", "right")
    assert done.returncode == 1, done.stdout
    assert "conftest.py:7: LSF103" in done.stdout
    assert "outside of tests" in done.stdout


ASYNC_TESTS = """\
import asyncio

import pytest


@pytest.mark.{mark}
async def test_wrong():
    event = asyncio.Event()
    await asyncio.to_thread(event.set)


@pytest.mark.{mark}
async def test_right():
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    await asyncio.to_thread(loop.call_soon_threadsafe, event.set)
    await event.wait()


@pytest.fixture
def anyio_backend():
    return {backend}
"""


@pytest.mark.parametrize(
    ("mark", "backend", "plugins"),
    [
        ("asyncio", "'asyncio'", ("-o", "asyncio_default_fixture_loop_scope=function")),
        ("anyio", "'asyncio'", ("-p", "no:asyncio")),
        ("anyio", "('asyncio', {'use_uvloop': True})", ("-p", "no:asyncio")),
    ],
    ids=["pytest-asyncio", "anyio", "anyio with uvloop"],
)
def test_beside_plugins_that_run_loops(project: Path, mark: str, backend: str, plugins: tuple[str, ...]) -> None:
    if "uvloop" in backend:
        pytest.importorskip("uvloop")
    (project / "test_it.py").write_text(ASYNC_TESTS.format(mark=mark, backend=backend))
    done = play(project, "--loopsafe", *plugins)
    assert failed(done) == ["test_wrong"], done.stdout
    assert "test_it.py:9: LSF103" in done.stdout
    assert "1 passed" in done.stdout


EXPECTED = """\
import asyncio
import threading

import pytest


def put(name):
    async def main():
        event = asyncio.Event()
        thread = threading.Thread(target=event.set, name=name)
        thread.start()
        thread.join()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["one", "two"])
def test_names(name):
    put(name)


@pytest.mark.xfail
def test_expected():
    put("three")


@pytest.mark.xfail(strict=True)
def test_expected_strictly():
    put("four")


@pytest.mark.xfail(raises=ValueError, strict=True)
def test_another_failure_expected():
    put("five")


@pytest.mark.xfail(False, reason="not here")
def test_not_expected():
    put("six")


@pytest.mark.xfail
def test_right():
    pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_expected_failures_and_names_of_threads(project: Path, workers: tuple[str, ...]) -> None:
    (project / "test_it.py").write_text(EXPECTED)
    done = play(project, "--loopsafe", "-rA", *workers)
    assert failed(done) == ["test_another_failure_expected", "test_names[one]", "test_names[two]", "test_not_expected"]
    assert sorted(re.findall(r"^XFAIL test_it\.py::(\w+)", done.stdout, re.M)) == [
        "test_expected", "test_expected_strictly",
    ]  # fmt: skip
    assert re.findall(r"^XPASS test_it\.py::(\w+)", done.stdout, re.M) == ["test_right"]
    summary = re.split(r"=+ loopsafe =+\n", done.stdout)[1]
    assert len(re.findall(r"^test_it\.py:11: LSF103", summary, re.M)) == 1
    assert "and 5 more)" in summary
