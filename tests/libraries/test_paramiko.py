"""Paramiko, client and server, on two ends of a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

paramiko = library("paramiko")

RESULTS = {
    "check_auth_password": paramiko.AUTH_SUCCESSFUL,
    "check_channel_request": paramiko.OPEN_SUCCEEDED,
    "get_allowed_auths": "password",
}


async def log_in(server: Any, probe: Probe) -> None:
    """Log in, and ask for a session, until the probe is called."""
    mine, other = socket.socketpair()
    with paramiko.Transport(mine) as serving, paramiko.Transport(other) as client:
        serving.add_server_key(paramiko.RSAKey.generate(2048))
        serving.start_server(threading.Event(), server)
        await asyncio.to_thread(ask, client)
        await probe.called()


def ask(client: Any) -> None:
    client.start_client()
    try:
        client.auth_none("me")
    except paramiko.BadAuthenticationType:
        client.auth_password("me", "secret")
    client.open_session().close()


@claims("overrides", "paramiko.ServerInterface.check_auth_[*]")
async def test_password(claim: Claim) -> None:
    await check(claim, "check_auth_password")


@claims("overrides", "paramiko.ServerInterface.check_channel_[*]")
async def test_channel(claim: Claim) -> None:
    await check(claim, "check_channel_request")


@claims("overrides", "paramiko.ServerInterface.get_allowed_auths")
async def test_kinds(claim: Claim) -> None:
    await check(claim, "get_allowed_auths")


async def check(claim: Claim, method: str) -> None:
    probe = Probe(RESULTS[method])
    members: dict[str, Any] = {name: lambda *_, given=given: given for name, given in RESULTS.items()}
    server = type("Server", (paramiko.ServerInterface,), {**members, method: claim.handler(probe)})()
    await log_in(server, probe)
    claim.check(probe)
