"""The packs as a whole: well formed, cited, without duplicates; the schema file is fresh and every pack keeps to it."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import jsonschema
import msgspec
import pytest

from loopsafe.knowledge.load import Knowledge, built_in_packs
from loopsafe.knowledge.schema import Pack
from tests.knowledge.programs import every_row
from tests.support.scripts import load_script

FOLDER = Path(str(resources.files("loopsafe.knowledge")))
PACKS = built_in_packs()
ALL = Knowledge(PACKS)
NAME = re.compile(r"[A-Za-z_*][\w*]*(\.[A-Za-z_*][\w*]*)+")
each_pack = pytest.mark.parametrize("pack", [pytest.param(pack, id=pack.library) for pack in PACKS])


def test_there_are_enough(record_property: pytest.RecordProperty) -> None:
    rows = sum(1 for pack in PACKS for _ in every_row(pack))
    names = sum(len(row.names) for pack in PACKS for _, row in every_row(pack))
    record_property("packs", len(PACKS))
    record_property("rows", rows)
    print(f"{len(PACKS)} packs, {rows} rows, {names} names")
    assert len(PACKS) >= 60
    assert rows >= 350


@each_pack
def test_every_row_is_cited_and_named(pack: Pack) -> None:
    assert pack.version
    for table, row in every_row(pack):
        assert row.source.strip(), row.names
        assert row.names, table
        pattern = re.compile(r"\w+|<module>") if table == "entries" else NAME
        assert [name for name in row.names if not pattern.fullmatch(name)] == []


@each_pack
def test_nothing_is_said_twice(pack: Pack) -> None:
    for table in pack.__struct_fields__:
        rows = [row for t, row in every_row(pack) if t == table]
        about = Counter((name, _what(row)) for row in rows for name in row.names)
        assert [key for key, count in about.items() if count > 1] == [], table


def _what(row: object) -> bytes:
    """All that a row says but for its names and source: of these there may be several for one name."""
    said = msgspec.to_builtins(row)
    if not said.get("callables"):
        return b""
    return msgspec.json.encode({key: value for key, value in said.items() if key not in ("names", "source", "note")})


def test_no_two_packs_speak_of_one_name() -> None:
    spoken: dict[tuple[str, str], str] = {}
    twice = []
    for pack in PACKS:
        for table, row in every_row(pack):
            for name in row.names if table != "entries" else ():
                if spoken.setdefault((table, name), pack.library) != pack.library:
                    twice.append((table, name, pack.library))
    assert twice == []


@each_pack
def test_classes_named_are_known(pack: Pack) -> None:
    named = [name for row in pack.classes for name in (*row.bases, *row.attributes.values())]
    named += [name for row in pack.results for name in (row.gives, row.awaited, *row.items) if name]
    named = [name.removeprefix("*") for name in named]
    forms = ("result", "instance", "held", "known argument")
    unknown = [n for n in named if n not in ALL.classes and n not in forms and not n.startswith("argument ")]
    assert unknown == []


@each_pack
def test_objects_with_operations_belong_to_a_loop(pack: Pack) -> None:
    owners = {ALL.canonical(name.rpartition(".")[0]) for row in pack.operations for name in row.names}
    assert [owner for owner in owners if ALL.is_known(owner) and not ALL.is_loop_bound(owner)] == []


@each_pack
def test_names_lie_under_the_imports(pack: Pack) -> None:
    if pack.imports:
        roots = {name.partition(".")[0] for table, row in every_row(pack) if table != "entries" for name in row.names}
        assert {root for root in roots if "*" not in root} <= {i.partition(".")[0] for i in pack.imports}


def test_schema_is_fresh() -> None:
    assert not load_script("knowledge_schema").is_stale()


@each_pack
def test_pack_keeps_to_the_schema(pack: Pack) -> None:
    schema = json.loads((FOLDER / "pack.schema.json").read_text("utf-8"))
    file = next(f for f in FOLDER.glob("*.toml") if f'library = "{pack.library}"' in f.read_text("utf-8"))
    jsonschema.validate(msgspec.toml.decode(file.read_bytes()), schema)
