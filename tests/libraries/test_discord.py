"""discord.py's player, on a voice connection that sends nowhere."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

discord = library("discord")


class Voice(discord.VoiceClient):
    """A voice client that takes itself to be connected, and sends nowhere."""

    def __init__(self) -> None:
        self._player = None
        self.client = SimpleNamespace(loop=asyncio.get_running_loop())

    @property
    def ws(self) -> Any:
        return SimpleNamespace(speak=speak)

    def is_connected(self) -> bool:
        return True

    def send_audio_packet(self, data: bytes, *, encode: bool = True) -> None:
        """Send nothing."""


async def speak(_: object) -> None:
    """Say nothing."""


def source(**members: Any) -> Any:
    """One frame of sound, already encoded, and then silence."""
    frames = [b"1", b""]
    given = {"is_opus": lambda self: True, "read": lambda self: frames.pop(0), **members}
    return type("Source", (discord.AudioSource,), given)()


@claims("runs", "discord.VoiceClient.play")
async def test_after(claim: Claim) -> None:
    probe = Probe()
    Voice().play(source(), after=probe)
    await probe.called()
    claim.check(probe)


@claims("overrides", "discord.AudioSource.read", "discord.AudioSource.cleanup")
async def test_source(claim: Claim) -> None:
    probe = Probe(b"")
    Voice().play(source(**{claim.member: claim.handler(probe)}))
    await probe.called()
    claim.check(probe)


@claims("overrides", "discord.AudioSource.is_opus")
async def test_kind_of_source(claim: Claim) -> None:
    """It is asked on both threads: when playing begins, and for each frame."""
    probe = Probe(True)
    client = Voice()
    client.play(source(is_opus=claim.handler(probe)))
    await asyncio.to_thread(client._player.join)
    claim.check(probe)
