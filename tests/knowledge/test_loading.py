"""Packs of users and of installed distributions; what is said about broken ones."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import loopsafe
from loopsafe.knowledge import load
from loopsafe.knowledge.load import (
    ENTRY_POINTS,
    KnowledgeError,
    applicable,
    built_in_packs,
    installed_packs,
    load_packs,
    read_pack,
)
from loopsafe.project.config import ConfigError

GOOD = """\
library = "meteo"
version = "2.1"
imports = ["meteo"]

[[runs]]
names = ["meteo.every_hour"]
where = "thread"
callables = [{ position = 0 }]
source = "meteo 2.1 timer.py:12"
"""


def test_a_pack_is_read_from_a_path(tmp_path: Path) -> None:
    file = tmp_path / "meteo.toml"
    file.write_text(GOOD, "utf-8")
    (pack,) = load_packs([file])
    assert pack.library == "meteo"
    assert pack.runs[0].names == ("meteo.every_hour",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param('where = "thread"', 'where = "thred"', "row 1 of 'meteo.every_hour', key where", id="value"),
        pytest.param(
            "position = 0", 'position = "0"', "row 1 of 'meteo.every_hour', key callables[0].position", id="type"
        ),
        pytest.param('source = "', 'scource = "', "row 1 of 'meteo.every_hour'", id="unknown key"),
        pytest.param("[[runs]]", "[[run]]", "unknown field `run`", id="unknown table"),
        pytest.param('version = "2.1"\n', "", "missing required field `version`", id="missing"),
        pytest.param("[[runs]]", "[[runs]", "not TOML", id="not TOML"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, said: str) -> None:
    with pytest.raises(KnowledgeError, match=r"^weather\.toml: ") as caught:
        read_pack(GOOD.replace(old, new), "weather.toml")
    assert said in str(caught.value)


def test_a_broken_pack_stops_the_analysis(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nknowledge = ["meteo.toml"]\n', "utf-8")
    (tmp_path / "meteo.toml").write_text(GOOD.replace("thread", "thred"), "utf-8")
    with pytest.raises(ConfigError, match=r"meteo\.toml: \[\[runs\]\] row 1 of 'meteo\.every_hour', key where"):
        loopsafe.analyze([tmp_path])


def test_only_packs_that_may_apply_are_read() -> None:
    libraries = {pack.library for pack in built_in_packs({"fastapi", "watchdog"})}
    assert libraries == {"asyncio", "stdlib", "fastapi", "starlette", "watchdog"}
    for imported in ({"google", "google.cloud"}, {"homeassistant"}, {"serial"}, set()):
        assert applicable(built_in_packs(imported), imported) == applicable(built_in_packs(), imported)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"nowhere\.toml: cannot be read"):
        load_packs([tmp_path / "nowhere.toml"])


def test_a_file_of_bytes_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KnowledgeError, match=r"bytes\.toml: not UTF-8: "):
        load_packs([tmp_path / "bytes.toml"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a distribution `meteo` in it, whose code must not run."""
    (tmp_path / "meteo").mkdir()
    (tmp_path / "meteo" / "__init__.py").write_text("raise SystemExit('was imported')\n", "utf-8")
    (tmp_path / "meteo" / "loopsafe.toml").write_text(GOOD, "utf-8")
    info = tmp_path / "meteo-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: meteo\nVersion: 2.1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\nmeteo = meteo:loopsafe.toml\n", "utf-8")
    (info / "RECORD").write_text("meteo/__init__.py,,\nmeteo/loopsafe.toml,,\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    installed_packs.cache_clear()
    yield tmp_path
    installed_packs.cache_clear()


def test_an_installed_pack_is_found_and_nothing_imported(site: Path) -> None:
    assert [pack.library for pack in installed_packs()] == ["meteo"]


def test_a_pack_of_an_editable_install_is_found(site: Path) -> None:
    (site / "meteo-2.1.dist-info" / "RECORD").write_text("", "utf-8")
    assert [pack.library for pack in installed_packs()] == ["meteo"]


def test_an_entry_point_without_a_file_is_an_error(site: Path) -> None:
    (site / "meteo" / "loopsafe.toml").unlink()
    (site / "meteo-2.1.dist-info" / "RECORD").write_text("", "utf-8")
    with pytest.raises(KnowledgeError, match=r"meteo: entry point 'meteo' of loopsafe\.knowledge names no file"):
        installed_packs()


def test_no_distribution_is_imported_at_all() -> None:
    points = [p for d in metadata.distributions() for p in d.entry_points if p.group == ENTRY_POINTS]
    assert len(installed_packs()) == len(points)
    assert load.installed_packs.cache_info().currsize == 1
