"""python-osc: its servers with threads, and the one of asyncio."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

dispatchers = library("pythonosc.dispatcher")
osc_server = library("pythonosc.osc_server")
udp_client = library("pythonosc.udp_client")


@claims("runs", "pythonosc.dispatcher.Dispatcher.map", "pythonosc.dispatcher.Dispatcher.set_default_handler")
async def test_handler(claim: Claim) -> None:
    probe, dispatcher = Probe(), dispatchers.Dispatcher()
    getattr(dispatcher, claim.member)(*(["/measured"] if claim.member == "map" else []), probe)
    with serving(osc_server.ThreadingOSCUDPServer((HOST, 0), dispatcher)) as port:
        udp_client.SimpleUDPClient(HOST, port).send_message("/measured", 1)
        await probe.called()
    claim.check(probe)


@claims("runs", "pythonosc.dispatcher.Dispatcher.map")
async def test_handler_on_the_loop(claim: Claim) -> None:
    probe, dispatcher = Probe(), dispatchers.Dispatcher()
    dispatcher.map("/measured", probe)
    server = osc_server.AsyncIOOSCUDPServer((HOST, 0), dispatcher, asyncio.get_running_loop())
    transport, _ = await server.create_serve_endpoint()
    udp_client.SimpleUDPClient(HOST, transport.get_extra_info("sockname")[1]).send_message("/measured", 1)
    await probe.called()
    transport.close()
    claim.check_likely(probe)
    claim.note("loop")
