"""slack_sdk's client for socket mode, given what Slack would send."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

socket_mode = library("slack_sdk.socket_mode")

MESSAGE = '{"type": "events_api", "envelope_id": "1", "payload": {}}'


@claims("runs", "slack_sdk.socket_mode.listeners.append")
async def test_listener(claim: Claim) -> None:
    """What the row calls a method of `listeners` is one of the client's lists."""
    for listeners in ("socket_mode_request_listeners", "message_listeners"):
        probe, client = Probe(), socket_mode.SocketModeClient("xapp-1", auto_reconnect_enabled=False)
        getattr(client, listeners).append(lambda *given, probe=probe: probe(*given))
        client.enqueue_message(MESSAGE)
        await probe.called()
        await asyncio.to_thread(client.close)
        claim.check(probe)
