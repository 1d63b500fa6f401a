"""Unleash's clients, with features from a server in the test."""

from __future__ import annotations

import asyncio
import http.server
from pathlib import Path

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

unleash = library("UnleashClient")


class Features(http.server.BaseHTTPRequestHandler):
    """No features."""

    def do_GET(self) -> None:
        text = b'{"version": 1, "features": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@claims("runs", "UnleashClient.*UnleashClient")
async def test_event(claim: Claim, tmp_path: Path) -> None:
    probe = Probe()
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Features)) as port:
        client = getattr(unleash, claim.member)(
            f"http://{HOST}:{port}",
            "measured",
            disable_metrics=True,
            disable_registration=True,
            cache_directory=str(tmp_path),
            event_callback=probe,
        )
        if claim.member == "AsyncUnleashClient":
            await client.initialize_client()
            await probe.called()
            await client.destroy()
        else:
            await asyncio.to_thread(client.initialize_client)
            await probe.called()
            await asyncio.to_thread(client.destroy)
    claim.check(probe)
