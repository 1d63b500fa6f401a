"""starlette, called through httpx without a network."""

from __future__ import annotations

from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import ask

starlette = library("starlette")
library("httpx")
applications = library("starlette.applications")
background = library("starlette.background")
concurrency = library("starlette.concurrency")
endpoints = library("starlette.endpoints")
responses = library("starlette.responses")
routing = library("starlette.routing")


def answer() -> Any:
    return responses.PlainTextResponse("answer")


@claims("runs", "starlette.concurrency.run_in_threadpool")
async def test_threadpool(claim: Claim) -> None:
    probe = Probe()
    await concurrency.run_in_threadpool(probe)
    claim.check(probe)


ROUTES = ("routing.Route", "applications.Starlette.add_route", "routing.Router.add_route")


@claims("runs", *(f"starlette.{name}" for name in ROUTES))
async def test_route(claim: Claim) -> None:
    probe = Probe(answer())
    endpoint = claim.handler(probe, "request")
    if claim.member == "Route":
        app = applications.Starlette(routes=[routing.Route("/", endpoint)])
    else:
        app = applications.Starlette()
        owner = app if "Starlette" in claim.name else app.router
        owner.add_route("/", endpoint)
    await ask(app)
    claim.check(probe)


@claims("runs", "starlette.applications.Starlette.add_exception_handler")
async def test_exception_handler(claim: Claim) -> None:
    probe = Probe(answer())
    app = applications.Starlette()
    app.add_exception_handler(404, claim.handler(probe, "request", "error"))
    await ask(app)
    claim.check(probe)


@claims("runs", "starlette.background.BackgroundTask", "starlette.background.BackgroundTasks.add_task")
async def test_background(claim: Claim) -> None:
    probe = Probe()
    if claim.member == "BackgroundTask":
        task = background.BackgroundTask(claim.handler(probe))
    else:
        task = background.BackgroundTasks()
        task.add_task(claim.handler(probe))
    await task()
    claim.check(probe)


@claims("runs", "starlette.concurrency.iterate_in_threadpool")
async def test_iterator(claim: Claim) -> None:
    probe = Probe()
    async for _ in concurrency.iterate_in_threadpool(probe.numbers()):
        pass
    claim.check(probe)


@claims("runs", "starlette.responses.StreamingResponse")
async def test_stream(claim: Claim) -> None:
    probe = Probe()

    async def async_numbers() -> Any:
        probe()
        yield "1"

    await ask(responses.StreamingResponse(async_numbers() if claim.is_async else probe.numbers()))
    claim.check(probe)


@claims("overrides", "starlette.endpoints.HTTPEndpoint.*")
async def test_endpoint(claim: Claim) -> None:
    probe = Probe(answer())
    endpoint = type("Endpoint", (endpoints.HTTPEndpoint,), {claim.member: claim.handler(probe, "self", "request")})
    await ask(applications.Starlette(routes=[routing.Route("/", endpoint)]), claim.member.upper())
    claim.check(probe)


@claims("decorators", "starlette.applications.Starlette.route", "starlette.applications.Starlette.exception_handler")
@pytest.mark.skipif(not hasattr(applications.Starlette, "route"), reason="starlette 1.0 has no decorators any more")
async def test_decorators(claim: Claim) -> None:
    probe = Probe(answer())
    app = applications.Starlette()
    getattr(app, claim.member)("/" if claim.member == "route" else 404)(claim.handler(probe, "request", "error"))
    await ask(app)
    claim.check(probe)
