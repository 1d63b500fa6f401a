"""The standard library: threads, pools, servers, hooks, signals and finalizers."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import ctypes
import functools
import gc
import http.server
import logging
import logging.handlers
import multiprocessing
import multiprocessing.pool
import os
import queue
import sched
import signal
import socket
import socketserver
import threading
import urllib.request
import weakref
import xmlrpc.client
import xmlrpc.server
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.libraries.measure import Claim, Place, Probe, claims
from tests.libraries.servers import HOST, serving


@claims("runs", "threading.Thread")
async def test_thread(claim: Claim) -> None:
    probe = Probe()
    threading.Thread(None, probe).start()
    await probe.called()
    claim.check(probe)


@claims("runs", "threading.Timer")
async def test_timer(claim: Claim) -> None:
    probe = Probe()
    threading.Timer(0, probe).start()
    await probe.called()
    claim.check(probe)


@claims("overrides", "threading.Thread.run")
async def test_run(claim: Claim) -> None:
    probe = Probe()
    type("Worker", (threading.Thread,), {"run": claim.handler(probe)})().start()
    await probe.called()
    claim.check(probe)


@claims("runs", "_thread.start_new_thread")
async def test_bare_thread(claim: Claim) -> None:
    probe = Probe()
    _thread.start_new_thread(probe, ())
    await probe.called()
    claim.check(probe)


@claims("runs", "concurrent.futures.Executor.*")
async def test_executor(claim: Claim) -> None:
    probe = Probe()
    with ThreadPoolExecutor() as pool:
        getattr(pool, claim.member)(probe, [1])
        await probe.called()
    claim.check(probe)


@claims("runs", "concurrent.futures.ThreadPoolExecutor", argument="initializer")
async def test_initializer(claim: Claim) -> None:
    probe = Probe()
    with ThreadPoolExecutor(1, "", probe) as pool:
        pool.submit(print)
        await probe.called()
    claim.check(probe)


@claims("runs", "concurrent.futures.Future.add_done_callback")
async def test_done_callback(claim: Claim) -> None:
    probe, registered = Probe(), threading.Event()
    with ThreadPoolExecutor() as pool:
        pool.submit(registered.wait).add_done_callback(probe)
        registered.set()
        await probe.called()
    claim.check(probe)


@claims("runs", "multiprocessing.pool.ThreadPool.*", argument="func")
async def test_thread_pool(claim: Claim) -> None:
    probe = Probe()
    with multiprocessing.pool.ThreadPool(1) as pool:
        # `apply` and `apply_async` take one call's arguments, the others what there is to go through.
        getattr(pool, claim.member)(probe, () if "apply" in claim.member else [(1,)])
        await probe.called()
    claim.check(probe)


@claims("runs", "multiprocessing.pool.ThreadPool.*_async", argument="callback")
async def test_result_of_a_thread_pool(claim: Claim) -> None:
    probe = Probe()
    with multiprocessing.pool.ThreadPool(1) as pool:
        getattr(pool, claim.member)(lambda *_: 1, () if "apply" in claim.member else [(1,)], callback=probe)
        await probe.called()
    claim.check(probe)


@claims("runs", "multiprocessing.pool.ThreadPool", argument="initializer")
async def test_initializer_of_a_thread_pool(claim: Claim) -> None:
    probe = Probe()
    with multiprocessing.pool.ThreadPool(1, probe):
        await probe.called()
    claim.check(probe)


def send_place(answer: multiprocessing.SimpleQueue[Place]) -> None:
    answer.put(Place.here())


@claims("runs", "multiprocessing.Process")
async def test_process(claim: Claim) -> None:
    home, context = Place.here(), multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    process = context.Process(None, send_place, args=(answer,))
    process.start()
    place = await asyncio.to_thread(answer.get)
    process.join()
    claim.check_places([place], home)


@claims("overrides", "logging.Handler.emit", "logging.Handler.handle")
async def test_logging(claim: Claim) -> None:
    probe, logger = Probe(), logging.Logger("measured")
    logger.addHandler(type("Handler", (logging.Handler,), {claim.member: claim.handler(probe)})())
    await asyncio.to_thread(logger.warning, "from a thread")
    claim.check(probe)
    probe.places.clear()
    logger.warning("from the loop")
    claim.check_likely(probe)


@claims("overrides", "logging.Filter.filter", "logging.Formatter.format")
async def test_logging_parts(claim: Claim) -> None:
    probe, logger, handler = Probe(""), logging.Logger("measured"), logging.StreamHandler()
    base = logging.Filter if claim.member == "filter" else logging.Formatter
    part = type("Part", (base,), {claim.member: claim.handler(probe)})()
    handler.addFilter(part) if claim.member == "filter" else handler.setFormatter(part)
    logger.addHandler(handler)
    await asyncio.to_thread(logger.warning, "from a thread")
    claim.check(probe)
    probe.places.clear()
    logger.warning("from the loop")
    claim.check_likely(probe)


@claims("runs", "logging.handlers.QueueListener")
async def test_queue_listener(claim: Claim) -> None:
    probe, records = Probe(), queue.Queue()
    handler = type("Handler", (logging.Handler,), {"emit": claim.handler(probe)})()
    listener = logging.handlers.QueueListener(records, handler)
    listener.start()
    records.put(logging.makeLogRecord({}))
    await probe.called()
    listener.stop()
    claim.check(probe)


@claims("overrides", "socketserver.BaseRequestHandler.*")
@pytest.mark.parametrize("server", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
async def test_socket_server(claim: Claim, server: type[socketserver.TCPServer]) -> None:
    probe = Probe()
    handler = type("Handler", (socketserver.BaseRequestHandler,), {claim.member: claim.handler(probe)})
    with serving(server((HOST, 0), handler)) as port:
        socket.create_connection((HOST, port)).close()
        await probe.called()
    claim.check(probe)


@claims("overrides", "http.server.BaseHTTPRequestHandler.do_[*]")
async def test_http_server(claim: Claim) -> None:
    probe = Probe()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            probe()
            self.send_response_only(204)
            self.end_headers()

    with serving(http.server.ThreadingHTTPServer((HOST, 0), Handler)) as port:
        await asyncio.to_thread(urllib.request.urlopen, f"http://{HOST}:{port}/")
    claim.check(probe)


@claims("runs", "xmlrpc.server.SimpleXMLRPCServer.*")
async def test_xmlrpc_server(claim: Claim) -> None:
    probe = Probe(1)
    server = xmlrpc.server.SimpleXMLRPCServer((HOST, 0), logRequests=False)
    if claim.member == "register_function":
        server.register_function(probe, "called")
    else:
        server.register_instance(type("Instance", (), {"called": claim.handler(probe)})())
    with serving(server) as port, xmlrpc.client.ServerProxy(f"http://{HOST}:{port}") as proxy:
        await asyncio.to_thread(proxy.called)
    claim.check(probe)


@claims("runs", "sched.scheduler.*")
async def test_scheduler(claim: Claim) -> None:
    probe, scheduler = Probe(), sched.scheduler()
    getattr(scheduler, claim.member)(0, 1, probe)
    await asyncio.to_thread(scheduler.run)
    claim.check(probe)
    probe.places.clear()
    getattr(scheduler, claim.member)(0, 1, probe)
    scheduler.run(blocking=False)
    claim.check_likely(probe)


@claims("assigns", "threading.excepthook")
async def test_excepthook(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe()
    monkeypatch.setattr(threading, "excepthook", probe)
    threading.Thread(target=lambda: 1 / 0).start()
    await probe.called()
    claim.check(probe)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no pthread_create")
@claims("decorators", "ctypes.CFUNCTYPE")
async def test_callback_from_c(claim: Claim) -> None:
    probe = Probe()

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    def start(_: object) -> None:
        probe()

    thread = ctypes.c_ulong()
    ctypes.CDLL(None).pthread_create(ctypes.byref(thread), None, start, None)
    await probe.called()
    ctypes.CDLL(None).pthread_join(thread, None)
    claim.check(probe)


@claims("runs", "signal.signal")
async def test_signal(claim: Claim) -> None:
    """The handler interrupts the loop's thread: a coroutine finds it done though it never gave way."""
    probe = Probe()
    before = signal.signal(signal.SIGUSR1, probe)
    signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)
    assert claim.row.where == "signal"
    assert [place.seen_from(probe.home) for place in probe.places] == ["loop"]
    claim.note("signal")


class Node:
    """Something that refers to itself, so that only the garbage collector ends it."""

    def __init__(self) -> None:
        self.itself = self


@claims("runs", "weakref.finalize", "weakref.ref", "weakref.proxy")
async def test_finalizer(claim: Claim) -> None:
    """It runs on whatever thread the garbage collector comes by."""
    probe, make = Probe(), getattr(weakref, claim.member)
    gc.disable()
    try:
        kept = make(Node(), probe)
        await asyncio.to_thread(gc.collect)
        kept = make(Node(), probe)
        gc.collect()
        del kept
    finally:
        gc.enable()
    assert claim.row.where == "finalizer"
    assert [place.seen_from(probe.home) for place in probe.places] == ["thread", "loop"]
    claim.note("finalizer")


IN_PLACE: dict[str, Callable[[Probe], object]] = {
    "contextvars.Context.run": lambda probe: contextvars.copy_context().run(probe),
    "builtins.map": lambda probe: list(map(probe, [1, 2])),
    "builtins.filter": lambda probe: list(filter(probe, [1, 2])),
    "builtins.sorted": lambda probe: sorted([1, 2], key=probe),
    "builtins.min": lambda probe: min([1, 2], key=probe),
    "builtins.max": lambda probe: max([1, 2], key=probe),
    "builtins.list.sort": lambda probe: [1, 2].sort(key=probe),
    "functools.reduce": lambda probe: functools.reduce(probe, [1, 2]),
}


@claims("runs", *IN_PLACE)
async def test_in_place(claim: Claim) -> None:
    def on_a_thread() -> None:
        probe = Probe(1)
        IN_PLACE[claim.name](probe)
        claim.check(probe)

    await asyncio.to_thread(on_a_thread)


@claims("runs", "threading.settrace", "threading.setprofile")
async def test_tracing(claim: Claim) -> None:
    probe = Probe()
    getattr(threading, claim.member)(probe)
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    getattr(threading, claim.member)(None)
    claim.check(probe)
