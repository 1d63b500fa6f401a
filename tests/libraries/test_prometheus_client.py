"""prometheus-client, scraped over HTTP and on the loop."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.request import urlopen

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

prometheus = library("prometheus_client")
registries = library("prometheus_client.registry")


async def scrape(claim: Claim, probe: Probe, registry: Any) -> None:
    server, thread = prometheus.start_http_server(0, HOST, registry)
    await asyncio.to_thread(lambda: urlopen(f"http://{HOST}:{server.server_port}").close())
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    thread.join()
    claim.check(probe)
    probe.places.clear()
    prometheus.generate_latest(registry)
    claim.check_likely(probe)


@claims("runs", "prometheus_client.Gauge.set_function")
async def test_gauge(claim: Claim) -> None:
    probe, registry = Probe(1), prometheus.CollectorRegistry()
    prometheus.Gauge("measured", "measured", registry=registry).set_function(probe)
    await scrape(claim, probe, registry)


@claims("overrides", "prometheus_client.registry.Collector.collect")
async def test_collector(claim: Claim) -> None:
    probe, registry = Probe(()), prometheus.CollectorRegistry()
    registry.register(type("Collector", (registries.Collector,), {"collect": claim.handler(probe)})())
    await scrape(claim, probe, registry)
