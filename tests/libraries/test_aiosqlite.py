"""aiosqlite, whose connection has a thread of its own."""

from __future__ import annotations

import sqlite3

from tests.libraries.measure import Claim, Probe, claims, library

aiosqlite = library("aiosqlite")


@claims("runs", "aiosqlite.Connection.create_function")
async def test_function(claim: Claim) -> None:
    probe = Probe(1)
    async with aiosqlite.connect(":memory:") as connection:
        await connection.create_function("measured", 0, probe)
        await (await connection.execute("SELECT measured()")).fetchall()
    claim.check(probe)


@claims("runs", *(f"aiosqlite.Connection.set_{name}" for name in ("trace_callback", "authorizer")))
async def test_hook(claim: Claim) -> None:
    probe = Probe(sqlite3.SQLITE_OK)
    async with aiosqlite.connect(":memory:") as connection:
        await getattr(connection, claim.member)(probe)
        await connection.execute("SELECT 1")
    claim.check(probe)


@claims("runs", "aiosqlite.Connection.set_progress_handler")
async def test_progress(claim: Claim) -> None:
    probe = Probe(0)
    async with aiosqlite.connect(":memory:") as connection:
        await connection.set_progress_handler(probe, 1)
        await connection.execute("SELECT 1")
    claim.check(probe)
