"""zeroconf on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

zeroconf = library("zeroconf")
zeroconf_asyncio = library("zeroconf.asyncio")

KIND = "_measured._tcp.local."


async def announce(browse: Callable[[Any], object], probe: Probe) -> None:
    """Announce a service while something browses, until the probe is called."""
    service = zeroconf.ServiceInfo(KIND, f"one.{KIND}", 1, addresses=[socket.inet_aton(HOST)], server="one.local.")
    async with zeroconf_asyncio.AsyncZeroconf(interfaces=[HOST]) as announcer:
        await (await announcer.async_register_service(service))
        browsing = await asyncio.to_thread(zeroconf.Zeroconf, interfaces=[HOST])
        browse(browsing)
        await probe.called()
        await asyncio.to_thread(browsing.close)


@claims("runs", "zeroconf.ServiceBrowser")
async def test_handlers(claim: Claim) -> None:
    probe = Probe()
    await announce(lambda zc: zeroconf.ServiceBrowser(zc, KIND, [probe]), probe)
    claim.check(probe)


def listener(claim: Claim, probe: Probe) -> Any:
    methods = ("add_service", "remove_service", "update_service")
    return type("Listener", (zeroconf.ServiceListener,), dict.fromkeys(methods, claim.handler(probe)))()


@claims("runs", "zeroconf.Zeroconf.add_service_listener")
async def test_listener(claim: Claim) -> None:
    probe = Probe()
    await announce(lambda zc: zc.add_service_listener(KIND, listener(claim, probe)), probe)
    claim.check(probe)


@claims("overrides", "zeroconf.ServiceListener.add_service")
async def test_listener_of_a_browser(claim: Claim) -> None:
    probe = Probe()
    await announce(lambda zc: zeroconf.ServiceBrowser(zc, KIND, listener=listener(claim, probe)), probe)
    claim.check(probe)


@claims("runs", "zeroconf.asyncio.AsyncServiceBrowser")
async def test_async_browser(claim: Claim) -> None:
    probe = Probe()
    async with zeroconf_asyncio.AsyncZeroconf(interfaces=[HOST]) as browsing:
        browser = zeroconf_asyncio.AsyncServiceBrowser(browsing.zeroconf, KIND, [probe])
        await announce(lambda zc: None, probe)
        await browser.async_cancel()
    claim.check(probe)
