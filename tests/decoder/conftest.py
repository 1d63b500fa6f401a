"""Every test of the decoder that takes `run` is run on every kind of event loop; no test leaves a thread."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
from collections.abc import Callable, Iterator
from functools import partial

import pytest

# Without the extra `decoder` there is nothing to test.
if importlib.util.find_spec("av") is None:
    collect_ignore_glob = ["*"]
else:
    from reference_decoder.pool import cores
    from tests.support.streaming import Run, others, run_on

LOOPS = ["asyncio", "debug"] + (["uvloop"] if importlib.util.find_spec("uvloop") else [])


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name != "uvloop":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on one kind of loop; the debug modes are asyncio's and uvloop's."""
    return partial(run_on, loop_factory(request.param), debug=request.param != "asyncio")


@pytest.fixture
def run_once() -> Run:
    """As `run`, on asyncio's loop in debug mode only: for tests of what happens on the workers."""
    return partial(run_on, asyncio.new_event_loop, debug=True)


@pytest.fixture(autouse=True)
def nothing_left_over(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No thread but the shared pool's, which are no more than there are cores, and nothing logged."""
    import threading

    before = others()
    with caplog.at_level(logging.WARNING):
        yield
    gc.collect()
    assert others() <= before
    assert sum(thread.name.startswith("reference_decoder") for thread in threading.enumerate()) <= cores()
    # In debug mode asyncio tells of callbacks that took long, which on a busy machine any may.
    assert [record for record in caplog.records if not record.getMessage().startswith("Executing")] == []
