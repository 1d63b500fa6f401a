"""FastAPI, called through httpx without a network."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import ask

fastapi = library("fastapi")
library("fastapi.concurrency")
library("httpx")
library("fastapi.responses")


@claims("decorators", "fastapi.FastAPI.*", "fastapi.APIRouter.*")
async def test_decorators(claim: Claim) -> None:
    probe = Probe()
    app, router = fastapi.FastAPI(), fastapi.APIRouter()
    if claim.member == "api_route":
        method, options = "GET", {"methods": ["GET"]}
    else:
        method, options = claim.member.upper(), {}
    getattr(router if "APIRouter" in claim.name else app, claim.member)("/", **options)(claim.handler(probe))
    app.include_router(router)
    await ask(app, method)
    claim.check(probe)


@claims("runs", "fastapi.FastAPI.add_api_route", "fastapi.APIRouter.add_api_route")
async def test_route(claim: Claim) -> None:
    probe = Probe()
    app, router = fastapi.FastAPI(), fastapi.APIRouter()
    (router if "APIRouter" in claim.name else app).add_api_route("/", claim.handler(probe))
    app.include_router(router)
    await ask(app)
    claim.check(probe)


@claims("runs", "fastapi.Depends", "fastapi.Security")
async def test_dependency(claim: Claim) -> None:
    probe = Probe()
    app = fastapi.FastAPI(dependencies=[getattr(fastapi, claim.member)(claim.handler(probe))])
    app.add_api_route("/", lambda: None)
    await ask(app)
    claim.check(probe)


@claims("runs", "fastapi.Depends")
async def test_generator(claim: Claim) -> None:
    """Both halves of a dependency that yields."""
    probe = Probe()

    def dependency() -> object:
        return (yield from probe.numbers())

    async def async_dependency() -> object:
        for number in probe.numbers():
            yield number

    app = fastapi.FastAPI(dependencies=[fastapi.Depends(async_dependency if claim.is_async else dependency)])
    app.add_api_route("/", lambda: None)
    await ask(app)
    assert len(probe.places) == 2
    claim.check(probe)


@claims("runs", "starlette.background.BackgroundTasks.add_task")
async def test_background(claim: Claim) -> None:
    probe = Probe()
    app = fastapi.FastAPI()

    @app.get("/")
    async def endpoint(tasks: fastapi.BackgroundTasks) -> None:
        tasks.add_task(claim.handler(probe))

    await ask(app)
    claim.check(probe)


@claims("runs", "fastapi.concurrency.run_in_threadpool", "fastapi.concurrency.iterate_in_threadpool")
async def test_threadpool(claim: Claim) -> None:
    probe = Probe()
    if claim.member == "run_in_threadpool":
        await fastapi.concurrency.run_in_threadpool(probe)
    else:
        async for _ in fastapi.concurrency.iterate_in_threadpool(probe.numbers()):
            pass
    claim.check(probe)
