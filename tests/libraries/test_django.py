"""Django's ASGI application, called through httpx without a network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import ask

django = library("django")
library("httpx")
conf = library("django.conf")
http = library("django.http")
asgi = library("django.core.handlers.asgi")
deprecation = library("django.utils.deprecation")
dispatch = library("django.dispatch")
urls = library("django.urls")
views = library("django.views")


@pytest.fixture(scope="module", autouse=True)
def _settings() -> None:
    if not conf.settings.configured:
        conf.settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="1", DATABASES={})
        django.setup()


async def answer(view: Any, method: str = "GET", make: Any = None, middleware: Any = None) -> None:
    """Have this view answer one request."""
    conf.settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [(make or urls.path)("", view)]})
    conf.settings.MIDDLEWARE = [f"{__name__}.installed"] if middleware else []
    globals()["installed"] = middleware
    await ask(asgi.ASGIHandler(), method)


@claims("runs", "django.urls.path", "django.urls.re_path")
async def test_view(claim: Claim) -> None:
    probe = Probe(http.HttpResponse())
    await answer(claim.handler(probe), make=getattr(urls, claim.member))
    claim.check(probe)


@claims("overrides", *(f"django.views.View.{name}" for name in ("get", "post", "put", "delete")))
async def test_view_class(claim: Claim) -> None:
    probe = Probe(http.HttpResponse())
    view = type("View", (views.View,), {claim.member: claim.handler(probe)})
    await answer(library("django.views.decorators.csrf").csrf_exempt(view.as_view()), claim.member.upper())
    claim.check(probe)


MIDDLEWARE = ("request", "response", "view", "exception")


@claims("overrides", *(f"django.utils.deprecation.MiddlewareMixin.process_{name}" for name in MIDDLEWARE))
async def test_middleware(claim: Claim) -> None:
    if claim.is_async:
        pytest.skip("the methods of such a middleware are plain functions")
    probe = Probe(http.HttpResponse() if claim.member in ("process_response", "process_exception") else None)
    middleware = type("Middleware", (deprecation.MiddlewareMixin,), {claim.member: claim.handler(probe)})

    async def view(request: object) -> Any:
        if claim.member == "process_exception":
            raise ZeroDivisionError
        return http.HttpResponse()

    await answer(view, middleware=middleware)
    claim.check(probe)


@claims("runs", "django.dispatch.Signal.connect")
async def test_signal(claim: Claim) -> None:
    probe, signal = Probe(), dispatch.Signal()
    signal.connect(claim.handler(probe, "sender", "signal"), weak=False)
    await signal.asend(None)
    claim.check(probe)


@claims("decorators", "django.dispatch.receiver")
async def test_receiver(claim: Claim) -> None:
    probe, signal = Probe(), dispatch.Signal()
    dispatch.receiver(signal, weak=False)(claim.handler(probe))
    await asyncio.to_thread(signal.send, None)
    claim.check(probe, on_async="own-loop")
    if not claim.is_async:
        probe.places.clear()
        signal.send(None)
        claim.check_likely(probe)
