"""Run one part of the benchmark and print its results as JSON. `run` does this in the benchmark's own environment."""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable
from typing import Any

from benchmarks.decoder import exactness, holding, latency, many, peers, speed

_SPEED_SECONDS = 120.0
_PARTS: dict[str, Callable[[int], Any]] = {
    "machine": lambda rounds: peers.machine(),
    "exactness": lambda rounds: exactness.measure(),
    "first bytes": lambda rounds: latency.measure_bytes(),
    "pace": lambda rounds: latency.measure_pace(min(rounds, 3)),
    "speed": lambda rounds: speed.measure(rounds, _SPEED_SECONDS),
    "loop": lambda rounds: holding.measure_loop(min(rounds, 3)),
    "memory": lambda rounds: holding.measure_memory(),
    "at once": lambda rounds: many.measure_at_once(min(rounds, 3)),
    "idle": lambda rounds: many.measure_idle(),
    "paced": lambda rounds: many.measure_paced(),
}


def main() -> None:
    """Print what the part gives."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("part", choices=_PARTS)
    parser.add_argument("rounds", type=int)
    options = parser.parse_args()
    # What has been imported is looked through at every full collection; that is nobody's stall here.
    gc.collect()
    gc.freeze()
    print(json.dumps(_PARTS[options.part](options.rounds)))


if __name__ == "__main__":
    main()
