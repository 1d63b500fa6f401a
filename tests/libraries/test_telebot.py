"""pyTelegramBotAPI, given what Telegram would send."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

telebot = library("telebot")

USER = {"id": 1, "is_bot": False, "first_name": "A"}
MESSAGE = {"message_id": 1, "date": 1, "text": "hello", "from": USER, "chat": {"id": 1, "type": "private"}}
# The key of each kind of update, and what stands there.
UPDATES: dict[str, dict[str, Any]] = {
    "message": MESSAGE,
    "edited_message": MESSAGE,
    "callback_query": {"id": "1", "from": USER, "chat_instance": "1", "data": "1", "message": MESSAGE},
    "inline_query": {"id": "1", "from": USER, "query": "1", "offset": ""},
}


def receive(bot: Any, kind: str = "message") -> None:
    bot.process_new_updates([telebot.types.Update.de_json({"update_id": 1, kind: UPDATES[kind]})])


def kind_of(claim: Claim) -> str:
    kind = claim.member.removeprefix("register_").removesuffix("_handler")
    return {"inline": "inline_query"}.get(kind, kind)


@claims("decorators", "telebot.TeleBot.*")
async def test_decorated(claim: Claim) -> None:
    probe, bot = Probe(), telebot.TeleBot("1:1", validate_token=False)
    getattr(bot, claim.member)(func=lambda _: True)(claim.handler(probe, "given"))
    receive(bot, kind_of(claim))
    await probe.called()
    bot.stop_bot()
    claim.check(probe)


@claims("runs", "telebot.TeleBot.register_message_handler", "telebot.TeleBot.register_callback_query_handler")
async def test_registered(claim: Claim) -> None:
    probe, bot = Probe(), telebot.TeleBot("1:1", validate_token=False)
    getattr(bot, claim.member)(claim.handler(probe, "given"), func=lambda _: True)
    receive(bot, kind_of(claim))
    await probe.called()
    bot.stop_bot()
    claim.check(probe)


@claims("runs", "telebot.TeleBot.register_next_step_handler", "telebot.TeleBot.register_next_step_handler_by_chat_id")
async def test_next_step(claim: Claim) -> None:
    probe, bot = Probe(), telebot.TeleBot("1:1", validate_token=False)
    to = 1 if claim.member.endswith("by_chat_id") else telebot.types.Message.de_json(MESSAGE)
    getattr(bot, claim.member)(to, claim.handler(probe, "given"))
    receive(bot)
    await probe.called()
    bot.stop_bot()
    claim.check(probe)


@claims("runs", "telebot.TeleBot.set_update_listener")
async def test_listener(claim: Claim) -> None:
    probe, bot = Probe(), telebot.TeleBot("1:1", validate_token=False)
    bot.set_update_listener(probe)
    receive(bot)
    await probe.called()
    bot.stop_bot()
    claim.check(probe)
