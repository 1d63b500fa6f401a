"""requests-futures against a server that answers nothing much."""

from __future__ import annotations

import http.server

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

sessions = library("requests_futures.sessions")

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


class Empty(http.server.BaseHTTPRequestHandler):
    """No content, whatever is asked for."""

    def answer(self) -> None:
        self.send_response_only(204)
        self.end_headers()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer


@claims("runs", *(f"requests_futures.sessions.FuturesSession.{name}" for name in METHODS), argument="response")
async def test_hook(claim: Claim) -> None:
    probe = Probe()
    with serving(http.server.HTTPServer((HOST, 0), Empty)) as port, sessions.FuturesSession() as session:
        getattr(session, claim.member)(f"http://{HOST}:{port}/", hooks={"response": probe}).result()
    claim.check(probe)
