"""google-api-core with calls that are played."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

bidi = library("google.api_core.bidi")
polling = library("google.api_core.future.polling")


@claims("runs", "google.api_core.future.polling.PollingFuture.add_done_callback")
async def test_operation(claim: Claim) -> None:
    probe = Probe()

    class Operation(polling.PollingFuture):
        """Done when it is asked."""

        def done(self, retry: Any = None) -> bool:
            self.set_result(1)
            return True

        def cancel(self) -> bool:
            return False

        def cancelled(self) -> bool:
            return False

        def running(self) -> bool:
            return False

    operation = Operation()
    operation.add_done_callback(probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "google.api_core.bidi.BackgroundConsumer")
async def test_consumer(claim: Claim) -> None:
    probe = Probe()

    class Call:
        """A stream of which one response comes."""

        is_active = True

        def add_done_callback(self, callback: object) -> None:
            """It is never done."""

        def open(self) -> None:
            """It is open."""

        def close(self) -> None:
            self.is_active = False

        def recv(self) -> int:
            self.is_active = False
            return 1

    consumer = bidi.BackgroundConsumer(Call(), probe)
    consumer.start()
    await probe.called()
    await asyncio.to_thread(consumer.stop)
    claim.check(probe)
