"""The guard by itself: what it sees, what it leaves alone, and that it comes before the change."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import inspect
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loopsafe import runtime
from loopsafe.knowledge.load import Knowledge, built_in_packs
from loopsafe.rules import ALL_RULES
from loopsafe.runtime.rows import NAMES

KNOWN = Knowledge(built_in_packs())
PROBES = KNOWN.probes
CATEGORY = {"queue": "LSF102", "sync-primitive": "LSF103", "future": "LSF104", "loop-call": "LSF105"} | {
    "transport": "LSF106",
    "task-creation": "LSF107",
}


@pytest.fixture
def guarded() -> Iterator[Callable[..., list[runtime.Violation]]]:
    """Installs the guard; what it gives is filled with what is seen."""

    def install(action: runtime.Action = "report") -> list[runtime.Violation]:
        found: list[runtime.Violation] = []
        runtime.install(action, found.append)
        return found

    yield install
    runtime.uninstall()


def on_thread(function: Callable[[], Any]) -> Any:
    """What the function gives, or raises, on a thread."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("api", sorted(PROBES))
def test_each_operation_is_stopped_before_it_changes_anything(guarded: Any, api: str, debug: bool) -> None:
    guarded("raise")
    probe = PROBES[api]
    code = CATEGORY[KNOWN.operations[api].category]

    async def main() -> None:
        names = {"asyncio": asyncio, "loop": asyncio.get_running_loop()}
        text = f"async def prepare():\n    it = {probe.make}\n    {probe.before or 'pass'}\n    return it\n"
        exec(text, names)
        names["it"] = await names["prepare"]()
        waiting = asyncio.ensure_future(eval(probe.wait, names))
        await asyncio.sleep(0)
        act = compile(probe.act, "probe", "exec")
        with pytest.raises(runtime.LoopSafetyError) as stopped:
            await asyncio.to_thread(exec, act, names)
        assert stopped.value.violation.code == code
        # Nobody was woken, nor taken off a list: the same, done by the loop, still wakes the task.
        await asyncio.sleep(0)
        assert not waiting.done()
        asyncio.get_running_loop().call_soon_threadsafe(exec, act, names)
        await asyncio.wait({waiting}, timeout=30)
        assert waiting.done()
        if not waiting.cancelled():
            waiting.exception()

    # A coroutine of which no task was made is never awaited.
    warns = pytest.warns(RuntimeWarning) if "create_task" in api else contextlib.nullcontext()
    with warns:
        asyncio.run(main(), debug=debug)
        gc.collect()


def test_what_is_stopped_is_as_it_was(guarded: Any) -> None:
    guarded("raise")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int] = asyncio.Queue()
        event, future, lock = asyncio.Event(), loop.create_future(), asyncio.Lock()
        await lock.acquire()
        ready = len(loop._ready)  # type: ignore[attr-defined]
        for act in (
            lambda: queue.put_nowait(1), event.set, lambda: future.set_result(1), future.cancel, lock.release,
            lambda: loop.call_soon(print), lambda: loop.call_later(0, print), loop.stop,
        ):  # fmt: skip
            with pytest.raises(runtime.LoopSafetyError):
                threads_result(act)
        assert (queue.qsize(), event.is_set(), future.done(), lock.locked()) == (0, False, False, True)
        assert len(loop._ready) == ready  # type: ignore[attr-defined]
        assert not loop._scheduled  # type: ignore[attr-defined]

    asyncio.run(main())


def threads_result(function: Callable[[], Any]) -> Any:
    """As `on_thread`, while this thread, which runs a loop, stands still."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def test_both_stacks_are_told_and_the_row_comes_first(guarded: Any) -> None:
    found = guarded()

    class Sensor:
        def __init__(self) -> None:
            self.readings: asyncio.Queue[int] = asyncio.Queue()

        def work(self) -> None:
            self.readings.put_nowait(1)

        async def main(self) -> None:
            task = asyncio.create_task(self.read())
            await asyncio.sleep(0)
            await asyncio.to_thread(self.work)
            await task

        async def read(self) -> None:
            await self.readings.get()

    asyncio.run(Sensor().main())
    (violation,) = found
    lines = str(violation).splitlines()
    assert "LSF102 `asyncio.Queue.put_nowait`" in lines[0]
    assert lines[1].endswith("self.readings.put_nowait(1)")
    assert violation.waits
    assert violation.waiting[0].source == "await self.readings.get()"
    assert violation.stack[0].source == "self.readings.put_nowait(1)"
    assert violation.start
    assert violation.start.source == "await asyncio.to_thread(self.work)"


def test_a_place_is_told_once(guarded: Any) -> None:
    found = guarded()

    async def main() -> None:
        event = asyncio.Event()
        await asyncio.to_thread(lambda: [event.set() for _ in range(3)])

    asyncio.run(main())
    assert [violation.code for violation in found] == ["LSF103"]
    assert runtime.seen() == tuple(found)


def test_a_comment_silences_it(guarded: Any) -> None:
    found = guarded("raise")

    async def main() -> None:
        event = asyncio.Event()

        def act() -> None:
            event.set()  # noqa: LSF103

        await asyncio.to_thread(act)
        assert event.is_set()

    asyncio.run(main())
    assert found == []


def test_repair_hands_over(guarded: Any) -> None:
    found = guarded("repair")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int] = asyncio.Queue()
        future = loop.create_future()
        here = threading.get_ident()
        task = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: queue.put_nowait(1))
        assert await asyncio.wait_for(task, 30) == 1
        await asyncio.to_thread(lambda: loop.call_soon(lambda: future.set_result(threading.get_ident())))
        assert await asyncio.wait_for(future, 30) == here
        timer = await asyncio.to_thread(lambda: loop.call_later(3600, print))
        assert isinstance(timer, asyncio.TimerHandle)
        timer.cancel()
        queue.put_nowait(2)
        assert await asyncio.to_thread(queue.get_nowait) == 2

    asyncio.run(main(), debug=True)
    assert [violation.code for violation in found] == ["LSF102", "LSF105", "LSF105", "LSF102"]


def test_a_loop_that_waits_for_itself_is_stopped(guarded: Any) -> None:
    guarded("raise")

    async def main() -> None:
        future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 5), asyncio.get_running_loop())
        with pytest.raises(runtime.LoopSafetyError, match="LSF205"):
            future.result()
        assert await asyncio.to_thread(future.result) == 5

    asyncio.run(main())


def test_two_loops_that_wait_for_one_object(guarded: Any) -> None:
    found = guarded("raise")
    lock_held, seen = threading.Event(), threading.Event()
    lock = asyncio.Lock()

    async def hold() -> None:
        async with lock:
            lock_held.set()
            await asyncio.to_thread(seen.wait)

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    lock_held.wait()

    async def want() -> None:
        # Without the guard it would wait for ever: the other loop's task wakes it, but not its loop.
        with pytest.raises(runtime.LoopSafetyError):
            await lock.acquire()

    asyncio.run(want())
    seen.set()
    thread.join()
    assert [(violation.code, violation.second_loop) for violation in found] == [("LSF204", True)]


def silent() -> Iterator[Callable[[], Any]]:
    """What is right, or nobody's business."""

    def crossings() -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            queue: asyncio.Queue[int] = asyncio.Queue()
            done = loop.create_future()
            await asyncio.to_thread(lambda: loop.call_soon_threadsafe(queue.put_nowait, 1))
            assert await queue.get() == 1
            await asyncio.to_thread(lambda: loop.call_soon_threadsafe(done.set_result, 1).cancel)
            assert await done == 1
            await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(queue.put(2), loop).result())
            assert await queue.get() == 2

        asyncio.run(main())

    def chains() -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                job = pool.submit(lambda: 1)
                assert await asyncio.wrap_future(job) == 1
                assert await loop.run_in_executor(pool, lambda: 2) == 2
                # Made by a thread, completed by another, awaited here.
                wrapped = await asyncio.to_thread(lambda: asyncio.wrap_future(pool.submit(lambda: 3), loop=loop))
                assert await wrapped == 3
                handed = asyncio.run_coroutine_threadsafe(asyncio.sleep(3600), loop)
                await asyncio.to_thread(handed.cancel)
                await asyncio.sleep(0)
                waits = pool.submit(threading.Event().wait, 0.01)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.wrap_future(waits), 0.001)

        asyncio.run(main())

    def made_and_used_without_a_loop() -> None:
        def work() -> None:
            queue: asyncio.Queue[int] = asyncio.Queue()
            queue.put_nowait(1)
            assert queue.get_nowait() == 1
            asyncio.Event().set()

        async def main() -> None:
            await asyncio.to_thread(work)

        asyncio.run(main())

    def a_loop_before_and_after_it_runs() -> None:
        loop = asyncio.new_event_loop()
        queue: asyncio.Queue[int] = asyncio.Queue()
        loop.call_soon(queue.put_nowait, 1)
        task = on_thread(lambda: loop.create_task(queue.get()))
        assert loop.run_until_complete(task) == 1
        on_thread(lambda: queue.put_nowait(2))
        assert loop.run_until_complete(queue.get()) == 2
        on_thread(lambda: loop.call_soon(print).cancel())
        loop.close()

    def one_loop_after_the_other() -> None:
        lock, queue = asyncio.Lock(), asyncio.Queue()  # type: ignore[var-annotated]

        async def use() -> None:
            async with lock:
                queue.put_nowait(1)
                await queue.get()

        asyncio.run(use())
        asyncio.run(use())

    def a_loop_of_the_thread_s_own() -> None:
        async def inner() -> None:
            queue: asyncio.Queue[int] = asyncio.Queue()
            asyncio.get_running_loop().call_soon(queue.put_nowait, 1)
            assert await queue.get() == 1

        async def main() -> None:
            await asyncio.to_thread(lambda: asyncio.run(inner()))

        asyncio.run(main())

    def made_here_and_handed_to_another_loop() -> None:
        async def main() -> None:
            queue: asyncio.Queue[int] = asyncio.Queue()

            async def inner() -> None:
                queue.put_nowait(1)
                assert await queue.get() == 1

            await asyncio.to_thread(lambda: asyncio.run(inner()))

        asyncio.run(main())

    def a_task_that_is_tried() -> None:
        async def main() -> None:
            def work() -> None:
                coroutine = asyncio.sleep(0)
                try:
                    asyncio.create_task(coroutine)  # noqa: RUF006
                except RuntimeError:
                    coroutine.close()

            await asyncio.to_thread(work)

        asyncio.run(main())

    def processes_and_streams() -> None:
        async def main() -> None:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=-1)
            assert (await process.communicate())[0].split() == [b"1"]

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(await reader.read())
                writer.close()
                await writer.wait_closed()

            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"x")
            writer.write_eof()
            assert await reader.read() == b"x"
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()

        asyncio.run(main())

    yield from (value for value in list(locals().values()) if inspect.isfunction(value))


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("act", list(silent()), ids=lambda act: act.__name__)
def test_what_is_right_is_left_alone(
    guarded: Any, act: Callable[[], Any], debug: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1" if debug else "")
    found = guarded("raise")
    act()
    assert found == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_eager_tasks(guarded: Any) -> None:
    found = guarded()

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        queue: asyncio.Queue[int] = asyncio.Queue()
        task = asyncio.create_task(queue.get())
        asyncio.get_running_loop().call_soon(queue.put_nowait, 1)
        assert await task == 1
        await asyncio.to_thread(task.cancel)

    asyncio.run(main())
    assert [violation.code for violation in found] == ["LSF104"]


def test_uninstalled_it_leaves_nothing_behind() -> None:
    watched = [
        (owner, name)
        for owner in (
            asyncio.Queue, asyncio.Event, asyncio.Lock, asyncio.Future, asyncio.Task, asyncio.BaseEventLoop,
            asyncio.StreamWriter, asyncio.Handle, concurrent.futures.Future, threading.Thread,
        )
        for name in vars(owner)
    ]  # fmt: skip

    def state() -> list[object]:
        return [getattr(found, "__code__", found) for found in (vars(owner)[name] for owner, name in watched)]

    before = state()
    runtime.install()
    assert state() != before
    runtime.uninstall()
    assert state() == before
    assert all(one is other for one, other in zip(state(), before, strict=True))
    assert not hasattr(asyncio.Queue, "_loopsafe_owner")


def test_there_is_one_guard() -> None:
    runtime.install()
    try:
        with pytest.raises(RuntimeError, match="already"):
            runtime.install()
    finally:
        runtime.uninstall()
    with pytest.raises(ValueError, match="report, raise, repair"):
        runtime.install("stop")  # type: ignore[arg-type]


def test_its_codes_are_those_of_the_rules() -> None:
    assert {rule.code: rule.name for rule in ALL_RULES}.items() >= NAMES.items()


def test_it_needs_the_standard_library_only() -> None:
    text = (
        "import sys; from loopsafe import runtime; runtime.install(); import loopsafe.runtime.launch;"
        "runtime.uninstall(); print(*sys.modules)"
    )  # fmt: skip
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    modules = {name for name in told.stdout.split() if name.partition(".")[0] == "loopsafe"}
    assert {name for name in modules if not name.startswith("loopsafe.runtime")} == {"loopsafe"}
    roots = {name.partition(".")[0] for name in told.stdout.split()}
    ours = {"loopsafe", "__main__", "sitecustomize", "usercustomize", "_virtualenv", "__mp_main__"}
    assert {root for root in roots - set(sys.stdlib_module_names) - ours if not root.startswith("_")} == set()


def test_what_tells_of_it_loads_nothing_of_the_analysis() -> None:
    text = (
        "import sys; from loopsafe import runtime; runtime.install(); import asyncio\n"
        "async def main():\n    event = asyncio.Event()\n    await asyncio.to_thread(event.set)\n"
        "asyncio.run(main()); assert runtime.seen(); print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    outside = {n for n in told.stdout.split() if n.startswith("loopsafe.") and not n.startswith("loopsafe.runtime")}
    assert outside == {"loopsafe.project", "loopsafe.project.noqa"}


@pytest.mark.parametrize("action", ["report", "raise"])
def test_a_listener_that_raises_is_no_business_of_the_program(action: Any, capsys: Any) -> None:
    def listen(violation: runtime.Violation) -> None:
        raise KeyError(f"{action} {id(listen)}")

    runtime.install(action, listen)

    async def main() -> bool:
        event = asyncio.Event()
        stopped = pytest.raises(runtime.LoopSafetyError) if action == "raise" else contextlib.nullcontext()
        with stopped:
            await asyncio.to_thread(event.set)
        return event.is_set()

    try:
        assert asyncio.run(main()) is (action == "report")
    finally:
        runtime.uninstall()
    assert "loopsafe: something cannot be watched or told: KeyError" in capsys.readouterr().err


async def nothing() -> None:
    pass


@pytest.mark.parametrize("action", ["report", "raise"])
def test_a_loop_that_is_set_runs_later(guarded: Any, action: runtime.Action) -> None:
    found = guarded(action)

    def work() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        task = asyncio.ensure_future(nothing())
        loop.run_until_complete(task)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            both = asyncio.gather(nothing(), nothing())
        loop.run_until_complete(both)
        loop.close()
        asyncio.set_event_loop(None)

    asyncio.run(asyncio.to_thread(work))
    assert not found


def test_a_loop_that_is_set_and_runs_elsewhere(guarded: Any) -> None:
    guarded("raise")

    def work(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        coroutine = nothing()
        with contextlib.closing(coroutine), pytest.raises(runtime.LoopSafetyError) as stopped:
            loop.run_until_complete(asyncio.ensure_future(coroutine))
        assert stopped.value.violation.code == "LSF107"

    async def main() -> None:
        await asyncio.to_thread(work, asyncio.get_running_loop())

    asyncio.run(main())


def test_nothing_is_set(guarded: Any) -> None:
    guarded("raise")

    def work(start: Callable[[Any], Any]) -> None:
        coroutine = nothing()
        with contextlib.closing(coroutine), pytest.raises(runtime.LoopSafetyError) as stopped:
            start(coroutine)
        assert stopped.value.violation.code == "LSF107"

    async def main() -> None:
        for start in (asyncio.ensure_future, asyncio.gather, asyncio.create_task):
            await asyncio.to_thread(work, start)

    asyncio.run(main())
