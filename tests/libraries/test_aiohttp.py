"""aiohttp's handlers run on the loop."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

web = library("aiohttp.web")
test_utils = library("aiohttp.test_utils")


@claims("runs", "aiohttp.web.*")
async def test_route(claim: Claim) -> None:
    probe = Probe()

    async def handler(request: object) -> object:
        probe()
        return web.Response()

    app = web.Application()
    app.add_routes([getattr(web, claim.member)("/", handler)])
    async with test_utils.TestClient(test_utils.TestServer(app)) as client:
        await client.request(claim.member.upper(), "/")
    claim.check(probe)
