"""The tools of OpenAI's agents."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

agents = library("agents")
tool_context = library("agents.tool_context")


@claims("decorators", "agents.function_tool")
async def test_tool(claim: Claim) -> None:
    probe = Probe("1")
    tool = agents.function_tool(claim.handler(probe))
    context = tool_context.ToolContext(context=None, tool_name="1", tool_call_id="1", tool_arguments="{}")
    await tool.on_invoke_tool(context, "{}")
    claim.check(probe)
