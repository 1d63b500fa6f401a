"""Flask with werkzeug's server, which has a thread a request."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

flask = library("flask")
werkzeug = library("werkzeug.serving")


async def ask(app: Any, method: str = "GET", path: str = "/") -> None:
    with serving(werkzeug.make_server(HOST, 0, app, threaded=True)) as port:
        await asyncio.to_thread(ask_quietly, Request(f"http://{HOST}:{port}{path}", method=method))


def ask_quietly(request: Request) -> None:
    try:
        urlopen(request).close()
    except HTTPError as error:
        error.close()


METHODS = ("route", "get", "post", "put", "delete", "patch")
HOOKS = ("errorhandler", "before_request", "after_request", "teardown_request", "context_processor")


@claims("decorators", *(f"flask.{owner}.{name}" for owner in ("Flask", "Blueprint") for name in METHODS))
async def test_route(claim: Claim) -> None:
    probe = Probe("answer")
    app, blueprint = flask.Flask("app"), flask.Blueprint("blueprint", "app")
    getattr(blueprint if "Blueprint" in claim.name else app, claim.member)("/")(claim.handler(probe))
    app.register_blueprint(blueprint)
    await ask(app, "GET" if claim.member == "route" else claim.member.upper())
    claim.check(probe, on_async="own-loop")


@claims("decorators", *(f"flask.{owner}.{name}" for owner in ("Flask", "Blueprint") for name in HOOKS))
async def test_hook(claim: Claim) -> None:
    results: dict[str, object] = {"context_processor": {}, "errorhandler": "error", "after_request": flask.Response()}
    probe = Probe(results.get(claim.member))
    app, blueprint = flask.Flask("app"), flask.Blueprint("blueprint", "app")
    owner = blueprint if "Blueprint" in claim.name else app
    hook = getattr(owner, claim.member)
    (hook(ZeroDivisionError) if claim.member == "errorhandler" else hook)(claim.handler(probe))

    @owner.get("/")
    def view() -> str:
        if claim.member == "errorhandler":
            raise ZeroDivisionError
        return flask.render_template_string("answer")

    app.register_blueprint(blueprint)
    await ask(app)
    claim.check(probe, on_async="own-loop")


@claims("runs", "flask.Flask.add_url_rule", "flask.Blueprint.add_url_rule")
async def test_url_rule(claim: Claim) -> None:
    probe = Probe("answer")
    app, blueprint = flask.Flask("app"), flask.Blueprint("blueprint", "app")
    (blueprint if "Blueprint" in claim.name else app).add_url_rule("/", "view", claim.handler(probe))
    app.register_blueprint(blueprint)
    await ask(app)
    claim.check(probe, on_async="own-loop")


@claims("runs", "werkzeug.serving.make_server")
async def test_application(claim: Claim) -> None:
    probe = Probe([b"answer"])

    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return probe()

    await ask(application)
    claim.check(probe)
