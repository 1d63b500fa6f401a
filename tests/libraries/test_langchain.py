"""langchain-core, asked to do asynchronously what has been written for threads."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

runnables = library("langchain_core.runnables")
callbacks = library("langchain_core.callbacks")
retrievers = library("langchain_core.retrievers")
tools = library("langchain_core.tools")


@claims("runs", "langchain_core.runnables.run_in_executor")
async def test_executor(claim: Claim) -> None:
    probe = Probe()
    await runnables.run_in_executor(None, probe)
    claim.check(probe)


@claims("runs", "langchain_core.runnables.RunnableLambda")
async def test_lambda(claim: Claim) -> None:
    probe = Probe(1)
    runnable = runnables.RunnableLambda(claim.handler(probe, "given"))
    await runnable.ainvoke(1)
    claim.check(probe)
    if not claim.is_async:
        probe.places.clear()
        runnable.invoke(1)
        claim.check_likely(probe)


def described(claim: Claim, probe: Probe) -> Any:
    """A tool needs a description."""
    handler = claim.handler(probe)
    handler.__doc__ = "Measured."
    return handler


@claims("runs", "langchain_core.tools.StructuredTool.from_function")
async def test_structured_tool(claim: Claim) -> None:
    probe = Probe("1")
    given = {"coroutine" if claim.is_async else "func": described(claim, probe)}
    await tools.StructuredTool.from_function(**given).ainvoke({})
    claim.check(probe)


@claims("decorators", "langchain_core.tools.tool")
async def test_tool(claim: Claim) -> None:
    probe = Probe("1")
    await tools.tool(described(claim, probe)).ainvoke({})
    claim.check(probe)


@claims("overrides", "langchain_core.tools.BaseTool._run")
async def test_tool_class(claim: Claim) -> None:
    probe = Probe("1")

    class Tool(tools.BaseTool):
        name: str = "measured"
        description: str = "Measured."

        def _run(self) -> str:
            return str(probe())

    await Tool().ainvoke({})
    claim.check(probe)


@claims("overrides", "langchain_core.retrievers.BaseRetriever._get_relevant_documents")
async def test_retriever(claim: Claim) -> None:
    probe = Probe([])

    class Retriever(retrievers.BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Any]:
            return probe()  # type: ignore[no-any-return]

    await Retriever().ainvoke("query")
    claim.check(probe)


EVENTS = ("start", "end", "error")


@claims("overrides", *(f"langchain_core.callbacks.BaseCallbackHandler.on_chain_{name}" for name in EVENTS))
async def test_callback_handler(claim: Claim) -> None:
    probe = Probe()
    base = callbacks.AsyncCallbackHandler if claim.is_async else callbacks.BaseCallbackHandler
    handler = type("Handler", (base,), {claim.member: claim.handler(probe)})()

    async def work(given: int) -> float:
        return 1 / given

    failing = claim.member == "on_chain_error"
    runnable = runnables.RunnableLambda(work).with_fallbacks([runnables.RunnableLambda(lambda _: 1)])
    await runnable.ainvoke(0 if failing else 1, {"callbacks": [handler]})
    claim.check(probe)
