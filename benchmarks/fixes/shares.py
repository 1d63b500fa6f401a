"""How many findings get a safe fix, an unsafe one, or none; and what a second reader said of each safe one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy.verdicts import Key

# One safe fix of a released package a line: `verdict` is right or wrong, `why` the reader's reason.
READ = Path(__file__).with_name("safe_read.jsonl")
KINDS = ("safe", "unsafe", "declined")


@dataclass(frozen=True, slots=True)
class Offered:
    """A finding and what is offered for it; `is_true` says whether a person has judged it to be right."""

    key: Key
    kind: str
    reason: str
    is_true: bool


def offered(release: str, folder: Path, found: Iterable[dict[str, Any]], true: set[tuple[Any, ...]]) -> list[Offered]:
    """What the findings of a package are offered; `true` holds keys, and places, of those that are right."""
    rows = []
    for entry in found:
        path, row = entry["filename"], entry["location"]["row"]
        source = (folder / path).read_text("utf-8", errors="replace").splitlines()[row - 1].strip()
        key = (release, path, entry["code"], source)
        fix = entry["fix"] or {"applicability": "declined", "reason": ""}
        rows.append(
            Offered(key, fix["applicability"], fix["reason"] or "", not true.isdisjoint((key, (release, path, row))))
        )
    return rows


def table(rows: Sequence[Offered]) -> str:
    """The shares of all findings and of the true ones."""
    lines = ["| findings | all | safe | unsafe | declined | offered |", "|---|--:|--:|--:|--:|--:|"]
    for name, chosen in (("all", rows), ("judged true", [row for row in rows if row.is_true])):
        counts = Counter(row.kind for row in chosen)
        share = (counts["safe"] + counts["unsafe"]) / max(len(chosen), 1)
        columns = (len(chosen), *(counts[kind] for kind in KINDS))
        lines.append(f"| {name} | {' | '.join(map(str, columns))} | {share:.0%} |")
    return "\n".join(lines)


def safe_table(rows: Sequence[Offered]) -> str:
    """Each safe fix with its second reading."""
    read = read_safe()
    lines = ["| package | place | verdict | why |", "|---|---|---|---|"]
    for row in rows:
        if row.kind == "safe":
            entry = read.get(row.key, {"verdict": "not read", "why": ""})
            release, path, code, source = row.key
            lines.append(f"| {release} | {code} `{path}`: `{source}` | {entry['verdict']} | {entry['why']} |")
    return "\n".join(lines)


def problems(rows: Sequence[Offered]) -> list[str]:
    """Safe fixes that are wrong, or that nobody has read."""
    read = read_safe()
    answers = [(row, read.get(row.key, {}).get("verdict", "not read")) for row in rows if row.kind == "safe"]
    return [f"{': '.join(row.key)}: a safe fix, {answer}" for row, answer in answers if answer != "right"]


def read_safe() -> dict[Key, dict[str, str]]:
    """The second readings."""
    lines = READ.read_text("utf-8").splitlines() if READ.exists() else ()
    entries = [json.loads(line) for line in lines]
    return {(e["release"], e["path"], e["code"], e["source"]): e for e in entries}
