"""asgiref, and the consumers of channels that rest on it."""

from __future__ import annotations

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

sync = library("asgiref.sync")


@claims("runs", "asgiref.sync.sync_to_async", "asgiref.sync.SyncToAsync")
@pytest.mark.parametrize("thread_sensitive", [True, False])
async def test_function(claim: Claim, thread_sensitive: bool) -> None:
    probe = Probe()
    await getattr(sync, claim.member)(claim.handler(probe), thread_sensitive=thread_sensitive)()
    claim.check(probe)


@claims("decorators", "asgiref.sync.sync_to_async")
async def test_decorator(claim: Claim) -> None:
    probe = Probe()
    await sync.sync_to_async(thread_sensitive=False)(claim.handler(probe))()
    claim.check(probe)


CONSUMERS = ("consumer.SyncConsumer.websocket_connect", "generic.websocket.WebsocketConsumer.connect")


@claims("overrides", *(f"channels.{name}" for name in CONSUMERS))
async def test_consumer(claim: Claim) -> None:
    settings = library("django.conf").settings
    if not settings.configured:
        settings.configure()
    probe = Probe()
    modules = {"SyncConsumer": "channels.consumer", "WebsocketConsumer": "channels.generic.websocket"}
    base = claim.name.split(".")[-2]
    consumer = type("Consumer", (getattr(library(modules[base]), base),), {claim.member: claim.handler(probe)})
    scope = {"type": "websocket", "path": "/"}
    communicator = library("asgiref.testing").ApplicationCommunicator(consumer.as_asgi(), scope)
    await communicator.send_input({"type": "websocket.connect"})
    await probe.called()
    communicator.stop(exceptions=False)
    claim.check(probe)
