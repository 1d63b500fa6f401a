"""The benchmark's results as the Markdown that docs/decoder.md holds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from benchmarks.accuracy.tables import table

Results = dict[str, Any]


def machine(results: Results) -> str:
    """What it was measured on."""
    return f"Measured on {results['machine']}."


def exactness(results: Results) -> str:
    """A row for each file."""
    columns = ("ours", "ours, no MIME", "LiveKit", "LiveKit, no MIME")
    rows = [(row["file"], row["samples"], *(row[column] for column in columns)) for row in results["exactness"]]
    exact = [str(sum(row[column] == "exact" for row in results["exactness"])) for column in columns]
    return table(("file", "samples", *columns), [*rows, (f"**exact, of {len(rows)}**", "", *exact)])


def latency(results: Results) -> str:
    """Bytes to the first frame, then time to it at the pace of a live stream."""
    columns = ("ours", "ours, no MIME", "LiveKit", "LiveKit, no MIME")
    rows = [
        (row["file"], str(row["limit"]), *(str(row[column] or "never") for column in columns))
        for row in results["first bytes"]
    ]
    paced = [(row["file"], f"{row['ours']:.0f} ms", f"{row['LiveKit']:.0f} ms") for row in results["pace"]]
    by_bytes = table(("bytes to the first frame", "least possible", *columns), rows)
    by_time = table(("at the pace of the stream, in chunks of 256 bytes", "ours", "LiveKit"), paced)
    return f"{by_bytes}\n\n{by_time}"


def speed(results: Results) -> str:
    """A row for each case, and the medians."""
    rows = results["speed"]
    keys = [f"{peer}: {what}" for what in ("speed", "CPU", "loop", "wake-ups") for peer in ("ours", "LiveKit")]
    body = [(row["case"], f"{row['blocking']:.0f}", *(_figure(key, row[key]) for key in keys)) for row in rows]
    middle = [_figure(key, statistics.median(row[key] for row in rows)) for key in keys]
    return table(("file and output", "blocking, times real time", *keys), [*body, ("**median**", "", *middle)])


def _figure(key: str, value: float) -> str:
    return f"{value:.2f}" if key.endswith(("speed", "CPU")) else f"{value:.0f}" if "loop" in key else f"{value:.1f}"


def manners(results: Results) -> str:
    """How long the loop is held, how much memory an hour takes, and two hundred streams."""
    loop = [(what, f"{times['ours']:.2f} ms", f"{times['LiveKit']:.0f} ms") for what, times in results["loop"].items()]
    memory = (
        "an hour of mp3, slow consumer",
        f"{results['memory']['ours']:+.0f} MB",
        f"{results['memory']['LiveKit']:+.0f} MB",
    )
    paced = [row for spread, peers in results["paced"].items() for row in _paced(spread, peers)]
    many = [*_at_once(results["at once"]), *paced, *_idle(results["idle"])]
    return table(("", "ours", "LiveKit"), [*loop, memory, *many])


def _at_once(results: Results) -> Iterable[tuple[str, str, str]]:
    ours, livekit = results["ours"], results["LiveKit"]
    yield "200 at once, against 2 blocking threads", f"{ours['speed']:.2f}", f"{livekit['speed']:.2f}"
    yield "... threads", f"{ours['threads']:+.0f}", f"{livekit['threads']:+.0f}"
    yield "... longest stall of the loop", *(f"{one['worst stall']:.0f} ms" for one in (ours, livekit))
    yield "... of an idle loop", *[f"{results['idle loop']['stall']:.0f} ms"] * 2
    yield "... memory", f"{ours['megabytes']:+.0f} MB", f"{livekit['megabytes']:+.0f} MB"


def _idle(results: Results) -> Iterable[tuple[str, str, str]]:
    ours, livekit = results["ours"], results["LiveKit"]
    yield "200 idle, memory of each", f"{ours['kilobytes']:.0f} kB", f"{livekit['kilobytes']:.0f} kB"
    yield "... threads", f"{ours['threads']:+.0f}", f"{livekit['threads']:+.0f}"


def _paced(spread: str, results: Results) -> Iterable[tuple[str, str, str]]:
    ours, livekit = results["ours"], results["LiveKit"]
    for what, key, unit in (
        (f"200 at the pace of the stream, begun within {spread} s, median first frame", "first frame", "ms"),
        ("... slowest first frame", "slowest first frame", "ms"),
        ("... longest stall of the loop", "stall", "ms"),
        ("... seconds for 10 s of sound", "seconds", "s"),
        ("... processor time", "processor", "s"),
    ):
        yield what, f"{ours[key]:.{unit == 's':d}f} {unit}", f"{livekit[key]:.{unit == 's':d}f} {unit}"
