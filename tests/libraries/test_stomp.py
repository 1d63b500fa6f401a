"""stomp.py against a server that says what a broker says, whatever it hears."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

stomp = library("stomp")

# The frame that makes the client call the method.
FRAMES = {
    "on_message": b"MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/1\n\n1\x00",
    "on_before_message": b"MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/1\n\n1\x00",
    "on_receipt": b"RECEIPT\nreceipt-id:1\n\n\x00",
    "on_error": b"ERROR\nmessage:1\n\n\x00",
    "on_connected": b"",
    "on_disconnected": b"",
    "on_receiver_loop_completed": b"",
}


@claims("overrides", *(f"stomp.ConnectionListener.{name}" for name in FRAMES))
async def test_listener(claim: Claim) -> None:
    probe = Probe()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x00")
        writer.write(b"CONNECTED\nversion:1.1\n\n\x00" + FRAMES[claim.member])
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(broker, HOST, 0) as server:
        connection = stomp.Connection([(HOST, server.sockets[0].getsockname()[1])], reconnect_attempts_max=1)
        listener: Any = type("Listener", (stomp.ConnectionListener,), {claim.member: claim.handler(probe)})()
        connection.set_listener("", listener)
        await asyncio.to_thread(connection.connect)
        await probe.called()
    claim.check(probe)


@claims("overrides", "stomp.ConnectionListener.on_send", "stomp.ConnectionListener.on_connecting")
async def test_sending(claim: Claim) -> None:
    """Whoever sends calls the listener."""
    probe = Probe()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x00")
        writer.write(b"CONNECTED\nversion:1.1\n\n\x00")
        await reader.readuntil(b"\x00")
        writer.close()

    async with await asyncio.start_server(broker, HOST, 0) as server:
        connection = stomp.Connection([(HOST, server.sockets[0].getsockname()[1])])
        listener: Any = type("Listener", (stomp.ConnectionListener,), {claim.member: claim.handler(probe)})()
        connection.set_listener("", listener)
        await asyncio.to_thread(connection.connect, wait=True)
        await probe.called()
        connecting = probe.places.copy()
        probe.places.clear()
        connection.send("/1", "1")
    claim.check_places(connecting, probe.home)
    if claim.member == "on_send":
        claim.check_likely(probe)
