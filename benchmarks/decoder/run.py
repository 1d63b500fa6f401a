"""Hold the reference decoder against LiveKit's and a blocking decode, and write the tables of docs/decoder.md.

    python -m benchmarks.decoder.run                     # everything, from the checkout's root
    python -m benchmarks.decoder.run --only speed        # one table

Makes an environment of its own, with livekit-agents from the package index; the audio is made on the spot. In a
round everybody has a turn, and what is compared are ratios within it: absolute speeds change with the neighbours.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.accuracy.pages import fill
from benchmarks.caches import add_cache_option
from benchmarks.decoder import tables

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "decoder.md"
# What each table is made from.
PARTS = {
    "machine": ("machine",),
    "exactness": ("exactness",),
    "latency": ("first bytes", "pace"),
    "speed": ("speed",),
    "manners": ("loop", "memory", "at once", "paced", "idle"),
}


def main() -> int:
    """Measure what the arguments ask for and write it down."""
    options = _options()
    python = environment(options.cache / "environment", options.livekit)
    results: tables.Results = {}
    for name in options.only or PARTS:
        for part in PARTS[name]:
            results[part] = measure(python, part, options.rounds)
            (options.cache / "results.json").write_text(json.dumps(results, indent=1), "utf-8")
        text = getattr(tables, name)(results)
        print(f"\n{text}", flush=True)
        fill(PAGE, name, text)
    return 0


def environment(folder: Path, livekit: str) -> Path:
    """The Python of an environment that has LiveKit's decoder and what ours needs."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", f"livekit-agents=={livekit}", "av>=18", "numpy>=2"]
    subprocess.run(command, check=True)
    return python


def measure(python: Path, part: str, rounds: int) -> object:
    """A part's results, from a process of its own for each library."""
    results = [_measured(python, part, rounds, peer) for peer in ("ours", "LiveKit")]
    return merged(*results)


def _measured(python: Path, part: str, rounds: int, peer: str) -> object:
    print(f"measuring: {part}, {peer}", file=sys.stderr, flush=True)
    command = [python, "-m", "benchmarks.decoder.measure", part, str(rounds)]
    variables = os.environ | {"LOOPSAFE_DECODER_PEER": peer}
    ran = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout)


def merged(first: object, second: object) -> object:
    """Two results of one shape as one; where both say something, the first has the word."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {key: merged(value, second[key]) for key, value in first.items() if key in second}
        return {**second, **first, **both}
    if isinstance(first, list) and isinstance(second, list):
        return [merged(*pair) for pair in zip(first, second, strict=True)]
    return first


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoder.run", description=(__doc__ or "").split("\n")[0]
    )
    add_cache_option(parser, "loopsafe-decoder", "where the environment is")
    parser.add_argument("--only", action="append", choices=PARTS, help="one table; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of a comparison (default: %(default)s)")
    parser.add_argument("--livekit", default="1.8.9", help="release of livekit-agents (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
