"""The benchmark of asyncio objects that are touched from the wrong thread, for any tool."""
