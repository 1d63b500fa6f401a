"""Pydantic AI with its model for tests, which calls every tool there is."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

pydantic_ai = library("pydantic_ai")
test_model = library("pydantic_ai.models.test")


def annotated(claim: Claim, probe: Probe, *parameters: str) -> Any:
    """Pydantic AI reads the annotations."""
    handler = claim.handler(probe, *parameters)
    handler.__annotations__ = dict.fromkeys((*parameters, "return"), str)
    return handler


@claims("decorators", *(f"pydantic_ai.Agent.{name}" for name in ("tool_plain", "system_prompt", "output_validator")))
async def test_decorators(claim: Claim) -> None:
    probe = Probe("1")
    agent = pydantic_ai.Agent(test_model.TestModel())
    parameters = ("output",) if claim.member == "output_validator" else ()
    getattr(agent, claim.member)(annotated(claim, probe, *parameters))
    await agent.run("hello")
    claim.check(probe)


@claims("runs", "pydantic_ai.Tool")
async def test_tool(claim: Claim) -> None:
    probe = Probe("1")
    agent = pydantic_ai.Agent(test_model.TestModel(), tools=[pydantic_ai.Tool(annotated(claim, probe))])
    await agent.run("hello")
    claim.check(probe)
