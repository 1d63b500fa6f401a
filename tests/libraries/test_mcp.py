"""An MCP server's tools, resources and prompts."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

server = library("mcp.server.mcpserver")


@claims("decorators", "mcp.server.mcpserver.MCPServer.*")
async def test_decorators(claim: Claim) -> None:
    probe, made = Probe("1"), server.MCPServer("measured")
    handler: Any = claim.handler(probe)
    if claim.member == "resource":
        made.resource("measured://1")(handler)
        for content in await made.read_resource("measured://1"):
            assert content.content == "1"
    elif claim.member == "tool":
        made.tool("measured")(handler)
        await made.call_tool("measured", {})
    else:
        made.prompt("measured")(handler)
        await made.get_prompt("measured")
    claim.check(probe)
