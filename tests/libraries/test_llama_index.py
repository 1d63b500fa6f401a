"""LlamaIndex's tools."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

tools = library("llama_index.core.tools")


@claims("runs", "llama_index.core.tools.FunctionTool.from_defaults")
async def test_tool(claim: Claim) -> None:
    probe = Probe("1")
    tool = tools.FunctionTool.from_defaults(claim.handler(probe))
    await tool.acall()
    claim.check(probe)
    if not claim.is_async:
        probe.places.clear()
        tool.call()
        claim.check_likely(probe)
