"""What Dask has the workers load that are started here: Ctrl-C is for who has started them, and ends them."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Hear it no more, rather than each tell at length where it was met."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
