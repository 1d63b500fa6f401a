"""paho-mqtt: the network thread, the thread that is blocked, and the loop's own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, TOPIC, mqtt_broker

mqtt = library("paho.mqtt.client")
subscribe = library("paho.mqtt.subscribe")

def new_client() -> Any:
    return mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)


async def run(client: Any, probe: Probe, name: str, way: str = "loop_start") -> None:
    """Do what there are handlers for, until the one of this name is called."""
    async with mqtt_broker() as port:
        await asyncio.to_thread(client.connect, HOST, port)
        thread = threading.Thread(target=client.loop_forever)
        thread.start() if way == "loop_forever" else client.loop_start()
        await asyncio.to_thread(client.subscribe, TOPIC)
        await asyncio.to_thread(client.publish, TOPIC, "2", 1)
        await asyncio.to_thread(client.unsubscribe, TOPIC)
        if name in ENDINGS:
            await asyncio.to_thread(client.disconnect)
        await probe.called()
        # As `loop_stop` does: a thread that finds the connection lost just now would make a new one.
        client._thread_terminate = True
        await asyncio.to_thread(client.disconnect)
        # Not on the loop, where the broker has to answer until the thread ends.
        await asyncio.to_thread(thread.join if way == "loop_forever" else client.loop_stop)


HANDLERS = ("connect", "disconnect", "message", "subscribe", "unsubscribe", "log", "pre_connect", "publish")
SOCKET_HANDLERS = ("socket_open", "socket_close", "socket_register_write", "socket_unregister_write")
ENDINGS = ("on_disconnect", "disconnect_callback", "on_socket_close", "socket_close_callback")


@claims("assigns", *(f"paho.mqtt.client.Client.on_{name}" for name in HANDLERS))
@pytest.mark.parametrize("way", ["loop_start", "loop_forever"])
async def test_assigned(claim: Claim, way: str) -> None:
    probe, client = Probe(), new_client()
    setattr(client, claim.member, probe)
    await run(client, probe, claim.member, way)
    assert way in claim.row.only_if_called
    claim.check(probe)


@claims("assigns", *(f"paho.mqtt.client.Client.on_{name}" for name in SOCKET_HANDLERS))
async def test_socket(claim: Claim) -> None:
    probe, client = Probe(), new_client()
    setattr(client, claim.member, probe)
    await run(client, probe, claim.member)
    claim.check(probe)


@claims("decorators", *(f"paho.mqtt.client.Client.{name}_callback" for name in HANDLERS + SOCKET_HANDLERS))
async def test_decorated(claim: Claim) -> None:
    probe, client = Probe(), new_client()
    getattr(client, claim.member)()(probe)
    await run(client, probe, claim.member)
    claim.check(probe)


@claims("decorators", "paho.mqtt.client.Client.topic_callback")
async def test_topic_decorator(claim: Claim) -> None:
    probe, client = Probe(), new_client()
    client.topic_callback("#")(probe)
    await run(client, probe, claim.member)
    claim.check(probe)


@claims("runs", "paho.mqtt.client.Client.message_callback_add")
async def test_topic(claim: Claim) -> None:
    probe, client = Probe(), new_client()
    client.message_callback_add("#", probe)
    await run(client, probe, claim.member)
    claim.check(probe)


@claims("assigns", "paho.mqtt.client.Client.on_connect_fail")
async def test_no_broker(claim: Claim) -> None:
    probe, client = Probe(), new_client()
    client.on_connect_fail = probe
    with socket.create_server((HOST, 0)) as unheard:
        port = unheard.getsockname()[1]
    client.connect_async(HOST, port)
    client.loop_start()
    await probe.called()
    client.loop_stop()
    claim.check(probe)


@claims("assigns", "paho.mqtt.client.Client.on_socket_open")
async def test_socket_of_the_loop(claim: Claim) -> None:
    """Whoever connects opens the socket."""
    probe, client = Probe(), new_client()
    client.on_socket_open = probe
    async with mqtt_broker() as port:
        client.connect(HOST, port)
        client.disconnect()
        claim.check_likely(probe)
    claim.note("loop")


@claims("runs", "paho.mqtt.subscribe.callback")
async def test_blocking_subscription(claim: Claim) -> None:
    """The handler runs before the call returns, on the thread that it blocks."""

    def on_a_thread(port: int) -> None:
        probe = Probe()

        def handler(client: Any, userdata: object, message: object) -> None:
            probe()
            client.disconnect()

        subscribe.callback(handler, TOPIC, hostname=HOST, port=port)
        claim.check(probe)

    async with mqtt_broker() as port:
        await asyncio.to_thread(on_a_thread, port)
