"""grpc, server and client, with methods that send bytes: no generated code is needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library
from tests.libraries.servers import HOST

grpc = library("grpc")
grpc_aio = library("grpc.aio")

METHOD = "/Measured/Call"


def handlers(method: Callable[..., Any]) -> Any:
    return grpc.method_handlers_generic_handler("Measured", {"Call": grpc.unary_unary_rpc_method_handler(method)})


@contextmanager
def serving(method: Callable[..., Any] = lambda request, context: b"") -> Iterator[Any]:
    """A channel to a server that answers with this method."""
    server = grpc.server(ThreadPoolExecutor(), handlers=[handlers(method)])
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        yield channel
    server.stop(None).wait()


@claims("overrides", "[*]_pb2_grpc.[*]Servicer.[*]")
async def test_servicer(claim: Claim) -> None:
    probe = Probe(b"")
    if claim.is_async:
        server = grpc_aio.server()
        server.add_generic_rpc_handlers([handlers(claim.handler(probe, "request", "context"))])
        port = server.add_insecure_port(f"{HOST}:0")
        await server.start()
        async with grpc_aio.insecure_channel(f"{HOST}:{port}") as channel:
            await channel.unary_unary(METHOD)(b"")
        await server.stop(None)
    else:
        with serving(claim.handler(probe, "request", "context")) as channel:
            await asyncio.to_thread(channel.unary_unary(METHOD), b"")
    claim.check(probe)


@claims("overrides", "[*]_pb2_grpc.[*]Servicer.[*]")
async def test_plain_servicer_of_an_async_server(claim: Claim) -> None:
    probe = Probe(b"")
    server = grpc_aio.server(ThreadPoolExecutor())
    server.add_generic_rpc_handlers([handlers(claim.handler(probe, "request", "context"))])
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with grpc_aio.insecure_channel(f"{HOST}:{port}") as channel:
        await channel.unary_unary(METHOD)(b"")
    await server.stop(None)
    claim.check(probe)


@claims("runs", "grpc.Future.add_done_callback")
async def test_done_callback(claim: Claim) -> None:
    probe, registered = Probe(), threading.Event()

    def method(request: bytes, context: Any) -> bytes:
        # Of a call that is done, whoever registers a callback runs it.
        assert registered.wait(LIMIT)
        return request

    with serving(method) as channel:
        channel.unary_unary(METHOD).future(b"").add_done_callback(probe)
        registered.set()
        await probe.called()
    claim.check(probe)


@claims("runs", "grpc.ServicerContext.add_callback")
async def test_context(claim: Claim) -> None:
    probe = Probe()

    def method(request: bytes, context: Any) -> bytes:
        context.add_callback(probe)
        return request

    with serving(method) as channel:
        await asyncio.to_thread(channel.unary_unary(METHOD), b"", LIMIT)
        await probe.called()
    claim.check(probe)


@claims("runs", "grpc.Channel.subscribe")
async def test_connectivity(claim: Claim) -> None:
    probe = Probe()
    with serving() as channel:
        channel.subscribe(probe, try_to_connect=True)
        await probe.called()
    claim.check(probe)
