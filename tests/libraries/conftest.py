"""Async tests run on asyncio's loop; a test that measured nothing fails; what was measured is printed at the end.

What needs no library runs with all other tests. The rest is collected only where this folder is asked for by its path:
`scripts/test_libraries.sh` installs the libraries and asks.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from tests.libraries.measure import NOTED

HERE = Path(__file__).parent
WITHOUT_LIBRARIES = ("test_asyncio.py", "test_claims.py", "test_stdlib.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what needs libraries, unless somebody asks for this folder or something in it."""
    if collection_path.parent != HERE or collection_path.name in WITHOUT_LIBRARIES:
        return None
    asked_for = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in asked_for) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a library warns of is its own affair."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="module", autouse=True)
def _swept() -> Iterator[None]:
    """A library's leaks come to light among its own tests, not at the end of the run, where they would be errors."""
    # What has been imported stays: going through it again and again would take seconds.
    gc.freeze()
    yield
    gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Iterator[None]:
    NOTED.clear()
    yield
    item.user_properties += [("measured", noted) for noted in NOTED]
    assert NOTED or "claim" not in item.fixturenames, "the claim was not checked"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    measured = {tuple(value) for report in reports for key, value in report.user_properties if key == "measured"}
    for library, claims in groupby(sorted(measured), key=itemgetter(0)):
        seen = sorted(Counter(observed for *_, observed in claims).items())
        terminalreporter.write_line(f"{library:20} {', '.join(f'{observed} {count}' for observed, count in seen)}")
    libraries = {library for library, *_ in measured}
    terminalreporter.write_line(f"measured: {len(measured)} claims of {len(libraries)} packs")
