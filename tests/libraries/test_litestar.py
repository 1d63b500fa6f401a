"""Litestar, called through httpx without a network."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import ask

litestar = library("litestar")
library("httpx")
di = library("litestar.di")


def annotated(claim: Claim, probe: Probe) -> Any:
    """Litestar reads what a handler says that it returns."""
    handler = claim.handler(probe)
    handler.__annotations__ = {"return": None}
    handler.__signature__ = handler.__signature__.replace(return_annotation=None)  # type: ignore[attr-defined]
    return handler


@claims("decorators", *(f"litestar.{name}" for name in ("get", "post", "put", "patch", "delete", "head", "route")))
async def test_route(claim: Claim) -> None:
    probe = Probe()
    options: dict[str, Any] = {} if claim.is_async else dict(claim.row.when)
    if claim.member == "route":
        options["http_method"] = ["GET"]
    route = getattr(litestar, claim.member)("/", **options)(annotated(claim, probe))
    await ask(litestar.Litestar([route]), "GET" if claim.member == "route" else claim.member.upper())
    claim.check(probe)


@claims("runs", "litestar.di.Provide")
async def test_dependency(claim: Claim) -> None:
    probe = Probe()
    provide = di.Provide(annotated(claim, probe), **({} if claim.is_async else claim.row.when))

    @litestar.get("/", dependencies={"given": provide})
    async def route(given: Any) -> None:
        return None

    route.fn.__annotations__["given"] = Any
    await ask(litestar.Litestar([route]))
    claim.check(probe)
