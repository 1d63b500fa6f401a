"""ConfigCat's client, with a configuration from a server in the test."""

from __future__ import annotations

import asyncio
import http.server
from collections.abc import Iterator

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

configcatclient = library("configcatclient")
options = library("configcatclient.configcatoptions")


class Config(http.server.BaseHTTPRequestHandler):
    """The same configuration for all."""

    def do_GET(self) -> None:
        text = b'{"p": {"u": "", "r": 0, "s": "salt"}, "f": {}, "s": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Config)) as port:
        yield f"http://{HOST}:{port}"


KEY = "a" * 22 + "/" + "b" * 22


@pytest.mark.parametrize("keyword", ["on_client_ready", "on_config_changed"])
@claims("runs", "configcatclient.configcatoptions.Hooks")
async def test_polling(claim: Claim, keyword: str, server: str) -> None:
    probe = Probe()
    client = configcatclient.get(
        KEY, configcatclient.ConfigCatOptions(base_url=server, hooks=options.Hooks(**{keyword: probe}))
    )
    await probe.called()
    await asyncio.to_thread(client.close)
    claim.check(probe)


@claims("runs", "configcatclient.configcatoptions.Hooks.*")
async def test_added(claim: Claim, server: str) -> None:
    probe, hooks = Probe(), options.Hooks()
    getattr(hooks, claim.member)(probe)
    client = configcatclient.get(KEY, configcatclient.ConfigCatOptions(base_url=server, hooks=hooks))
    await probe.called()
    await asyncio.to_thread(client.close)
    claim.check(probe)


@claims("runs", "configcatclient.configcatoptions.Hooks.add_on_config_changed")
async def test_asked_for(claim: Claim, server: str) -> None:
    """Without polling the hook is called where the configuration is asked for."""
    probe, mode = Probe(), configcatclient.PollingMode.manual_poll()
    client = configcatclient.get(KEY, configcatclient.ConfigCatOptions(base_url=server, polling_mode=mode))
    client.get_hooks().add_on_config_changed(probe)
    client.force_refresh()
    client.close()
    claim.check_likely(probe)
    claim.note("loop")
