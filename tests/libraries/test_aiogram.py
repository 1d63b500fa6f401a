"""aiogram, given what Telegram would send."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

aiogram = library("aiogram")

USER = {"id": 1, "is_bot": False, "first_name": "A"}
MESSAGE = {"message_id": 1, "date": 1, "text": "hello", "from": USER, "chat": {"id": 1, "type": "private"}}
UPDATES: dict[str, dict[str, Any]] = {
    "message": MESSAGE,
    "edited_message": MESSAGE,
    "channel_post": MESSAGE,
    "callback_query": {"id": "1", "from": USER, "chat_instance": "1", "data": "1"},
    "inline_query": {"id": "1", "from": USER, "query": "1", "offset": ""},
}


@claims("decorators", *(f"aiogram.Router.{name}" for name in UPDATES))
async def test_handler(claim: Claim) -> None:
    probe, dispatcher = Probe(), aiogram.Dispatcher()
    getattr(dispatcher, claim.member)()(claim.handler(probe, "event"))
    update = aiogram.types.Update.model_validate({"update_id": 1, claim.member: UPDATES[claim.member]})
    await dispatcher.feed_update(aiogram.Bot("1:" + "a" * 35), update)
    claim.check(probe)
