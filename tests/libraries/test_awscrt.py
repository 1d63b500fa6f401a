"""The MQTT client of AWS' common runtime, against a broker of the test's own."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library
from tests.libraries.servers import HOST, TOPIC, mqtt_broker

io = library("awscrt.io")
mqtt = library("awscrt.mqtt")


def new_connection(port: int, **options: Any) -> Any:
    client = mqtt.Client(io.ClientBootstrap.get_or_create_static_default())
    return mqtt.Connection(client, HOST, port, "me", **options)


@claims("runs", "awscrt.mqtt.Connection.subscribe", "awscrt.mqtt.Connection.on_message")
async def test_message(claim: Claim) -> None:
    probe = Probe()

    def received(topic: str, payload: bytes, **_: object) -> None:
        probe()

    async with mqtt_broker() as port:
        connection = new_connection(port)
        if claim.member == "on_message":
            connection.on_message(received)
        await asyncio.to_thread(connection.connect().result, LIMIT)
        connection.subscribe(TOPIC, mqtt.QoS.AT_MOST_ONCE, received if claim.member == "subscribe" else None)
        await probe.called()
        await asyncio.to_thread(connection.disconnect().result, LIMIT)
    claim.check(probe)


@claims("runs", "awscrt.mqtt.Connection", argument="on_connection_success")
async def test_connection(claim: Claim) -> None:
    probe = Probe()
    async with mqtt_broker() as port:
        connection = new_connection(port, on_connection_success=probe)
        connection.connect()
        await probe.called()
        await asyncio.to_thread(connection.disconnect().result, LIMIT)
    claim.check(probe)
