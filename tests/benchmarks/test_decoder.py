"""The decoder benchmark's results reach its page. The measuring itself needs LiveKit's package and is not run here."""

from __future__ import annotations

import json

import pytest

from benchmarks.accuracy.pages import filled
from benchmarks.decoder import run, tables

COLUMNS = dict.fromkeys(("ours", "ours, no MIME", "LiveKit", "LiveKit, no MIME"), "exact")
INEXACT = COLUMNS | {"ours": "+1"}
SPEEDS = {f"{peer}: {what}": 0.5 for peer in ("ours", "LiveKit") for what in ("speed", "CPU", "loop", "wake-ups")}
MANY = ("seconds", "stall", "threads", "megabytes", "speed", "worst stall")
PACED = ("first frame", "slowest first frame", "stall", "seconds", "processor")


def both(keys: tuple[str, ...]) -> dict[str, dict[str, float]]:
    return {peer: dict.fromkeys(keys, 1.5) for peer in ("ours", "LiveKit")}


RESULTS: tables.Results = {
    "machine": "2 cores",
    "exactness": [{"file": "a.mp3", "samples": "100", **COLUMNS}, {"file": "b", "samples": "1", **INEXACT}],
    "first bytes": [{"file": "a.mp3", "limit": 90, **dict.fromkeys(COLUMNS, 100), "LiveKit": None}],
    "pace": [{"file": "a.mp3", "ours": 60.4, "LiveKit": 1000.6}],
    "speed": [{"case": "a.mp3 to 48k/1", "blocking": 500.0, **SPEEDS}],
    "loop": {"push": {"ours": 0.123, "LiveKit": 180.0}},
    "memory": {"ours": 1.0, "LiveKit": 399.0},
    "at once": both(MANY) | {"idle loop": {"stall": 3.0}},
    "paced": {"0.1": both(PACED), "1.0": both(PACED)},
    "idle": both(("kilobytes", "threads")),
}


def test_every_part_is_measured_for_some_table() -> None:
    assert {part for parts in run.PARTS.values() for part in parts} == RESULTS.keys()


@pytest.mark.parametrize("name", run.PARTS)
def test_every_table_has_its_place_on_the_page(name: str) -> None:
    text = getattr(tables, name)(json.loads(json.dumps(RESULTS)))
    assert text in filled(run.PAGE.read_text("utf-8"), name, text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows[:3]}) <= 1


def test_each_librarys_results_are_put_together() -> None:
    ours = {"rows": [{"file": "a", "ours": 1}], "stall": {"ours": 2}, "seconds": 3.0}
    livekit = {"rows": [{"file": "a", "LiveKit": 4}], "stall": {"LiveKit": 5}, "seconds": 6.0}
    both = {"rows": [{"file": "a", "ours": 1, "LiveKit": 4}], "stall": {"ours": 2, "LiveKit": 5}, "seconds": 3.0}
    assert run.merged(ours, livekit) == both
    with pytest.raises(ValueError, match="zip"):
        run.merged([1], [1, 2])


def test_what_the_tables_say() -> None:
    assert "| a.mp3 | 100 | exact | exact | exact | exact |" in tables.exactness(RESULTS)
    assert "| **exact, of 2** |  | 1 | 2 | 2 | 2 |" in tables.exactness(RESULTS)
    assert "| a.mp3 | 90 | 100 | 100 | never | 100 |" in tables.latency(RESULTS)
    assert "| a.mp3 | 60 ms | 1001 ms |" in tables.latency(RESULTS)
    assert "| a.mp3 to 48k/1 | 500 | 0.50 | 0.50 | 0.50 | 0.50 | 0 | 0 | 0.5 | 0.5 |" in tables.speed(RESULTS)
    assert "| push | 0.12 ms | 180 ms |" in tables.manners(RESULTS)
