"""Bolt for Slack, given what Slack would send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

slack_bolt = library("slack_bolt")

EVENT = {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "text": "hello", "user": "U1"}}
MESSAGE = {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "text": "hello", "user": "U1"}}
# What makes each listener run: the argument of its decorator, and a request.
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "event": ("app_mention", EVENT),
    "message": ("hello", MESSAGE),
    "command": ("/hello", {"command": "/hello", "team_id": "T1", "user_id": "U1"}),
    "action": ("one", {"type": "block_actions", "actions": [{"action_id": "one"}], "user": {"id": "U1"}}),
    "shortcut": ("one", {"type": "shortcut", "callback_id": "one", "user": {"id": "U1"}}),
    "view": ("one", {"type": "view_submission", "view": {"type": "modal", "callback_id": "one"}, "user": {"id": "U1"}}),
    "options": ("one", {"type": "block_suggestion", "action_id": "one", "user": {"id": "U1"}}),
}


def new_app() -> Any:
    authorize = library("slack_bolt.authorization").AuthorizeResult
    return slack_bolt.App(
        signing_secret="secret",
        request_verification_enabled=False,
        authorize=lambda enterprise_id, team_id: authorize(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
    )


def request_of(body: dict[str, Any]) -> Any:
    return slack_bolt.BoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]})


@claims("decorators", *(f"slack_bolt.App.{name}" for name in REQUESTS))
async def test_listener(claim: Claim) -> None:
    probe, app = Probe(), new_app()
    argument, body = REQUESTS[claim.member]

    def listener(ack: Any) -> None:
        probe()
        ack()

    getattr(app, claim.member)(argument)(listener)
    app.dispatch(request_of(body))
    await probe.called()
    claim.check(probe)


@claims("decorators", "slack_bolt.App.error")
async def test_error(claim: Claim) -> None:
    probe, app = Probe(), new_app()

    @app.event("app_mention")
    def listener(ack: Any) -> None:
        raise ZeroDivisionError

    @app.error
    def error() -> None:
        probe()

    app.dispatch(request_of(EVENT))
    await probe.called()
    claim.check(probe)


@claims("decorators", "slack_bolt.App.middleware", "slack_bolt.App.use")
async def test_middleware(claim: Claim) -> None:
    """It runs on the thread that dispatches, which in an adapter for ASGI is the loop's."""
    probe, app = Probe(), new_app()

    def middleware(next: Any) -> Any:
        probe()
        return next()

    getattr(app, claim.member)(middleware)
    await asyncio.to_thread(app.dispatch, request_of(EVENT))
    claim.check(probe)
    probe.places.clear()
    app.dispatch(request_of(EVENT))
    claim.check_likely(probe)
