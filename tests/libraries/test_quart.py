"""Quart, by its own test client."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

quart = library("quart")
utils = library("quart.utils")

METHODS = ("route", "get", "post", "put", "delete", "patch")
HOOKS = ("errorhandler", "before_request", "after_request", "context_processor")


@claims("decorators", *(f"quart.{owner}.{name}" for owner in ("Quart", "Blueprint") for name in METHODS))
async def test_route(claim: Claim) -> None:
    probe = Probe("answer")
    app, blueprint = quart.Quart("app"), quart.Blueprint("blueprint", "app")
    getattr(blueprint if "Blueprint" in claim.name else app, claim.member)("/")(claim.handler(probe))
    app.register_blueprint(blueprint)
    await app.test_client().open("/", method="GET" if claim.member == "route" else claim.member.upper())
    claim.check(probe)


@claims("decorators", *(f"quart.{owner}.{name}" for owner in ("Quart", "Blueprint") for name in HOOKS))
async def test_hook(claim: Claim) -> None:
    results: dict[str, object] = {"context_processor": {}, "errorhandler": "error", "after_request": quart.Response("")}
    probe = Probe(results.get(claim.member))
    app, blueprint = quart.Quart("app"), quart.Blueprint("blueprint", "app")
    owner = blueprint if "Blueprint" in claim.name else app
    hook = getattr(owner, claim.member)
    (hook(ZeroDivisionError) if claim.member == "errorhandler" else hook)(claim.handler(probe))

    @owner.get("/")
    async def view() -> str:
        if claim.member == "errorhandler":
            raise ZeroDivisionError
        return await quart.render_template_string("answer")

    app.register_blueprint(blueprint)
    await app.test_client().get("/")
    claim.check(probe)


@claims("runs", "quart.utils.run_sync", "quart.Quart.ensure_async")
async def test_run_sync(claim: Claim) -> None:
    probe = Probe()
    await (utils.run_sync if claim.member == "run_sync" else quart.Quart("app").ensure_async)(claim.handler(probe))()
    claim.check(probe)


@claims("decorators", "quart.utils.run_sync")
async def test_decorator(claim: Claim) -> None:
    probe = Probe()
    await utils.run_sync(claim.handler(probe))()
    claim.check(probe)
