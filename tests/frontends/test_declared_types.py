"""What installed libraries declare: the classes that their functions give, where a pack knows these classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Cli

PACK = """\
library = "meteo"
version = "1"
imports = ["meteo"]

[[classes]]
names = ["meteo.Station"]
source = "made up"

[[classes]]
names = ["meteo.core.Reader"]
source = "made up"

[[runs]]
names = ["meteo.core.Reader.listen"]
where = "thread"
callables = [{ position = 0 }]
source = "made up"
"""
MAIN = """\
import asyncio

import meteo


class Weather:
    def __init__(self) -> None:
        self._readings: asyncio.Queue[int] = asyncio.Queue()

    async def run(self) -> None:
        reader = meteo.connect("roof").reader()
        reader.listen(self._read)
        print(await self._readings.get())

    def _read(self, reading: int) -> None:
        self._readings.put_nowait(reading)
"""
CORE = """\
from __future__ import annotations

import typing


class Reader:
    def listen(self, callback): ...


class Station:
    def reader(self) -> Reader:
        return self._readers.pop()


class Other: ...


def connect(place) -> Station:
    return _stations[place]
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the library, beside a project that calls it."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "meteo.toml").write_text(PACK)
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nknowledge = ["meteo.toml"]\n')
    folder = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages" / "meteo"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from .core import *\n")
    return folder


def found(cli: Cli) -> bool:
    """Whether the callback is seen on the library's thread."""
    return "main.py:16:" in cli("check", "--output-format", "concise").stdout


def test_a_package_that_declares_its_types(cli: Cli, library: Path) -> None:
    (library / "core.py").write_text(CORE)
    assert not found(cli)
    (library / "py.typed").touch()
    # The report rests on what was not there.
    assert "main.py:16:" in cli("check", "--no-cache", "--output-format", "concise").stdout


@pytest.mark.parametrize(
    ("declared", "is_found"),
    [
        pytest.param("Station", True, id="class"),
        pytest.param("'Station'", True, id="in quotes"),
        pytest.param("typing.Optional[Station]", True, id="or none"),
        pytest.param("Station | None", True, id="or none, by a stroke"),
        pytest.param("Station | Other", False, id="one of two"),
        pytest.param("typing.Awaitable[Station]", True, id="once it is awaited"),
        pytest.param("typing.Any", False, id="anything"),
        pytest.param("typing.List[Station]", False, id="several"),
    ],
)
def test_declared_types(declared: str, is_found: bool, cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    (library / "core.py").write_text(CORE.replace("-> Station", f"-> {declared}"))
    assert found(cli) == is_found


@pytest.mark.parametrize("place", ["meteo", "meteo-stubs"])
def test_stubs(place: str, cli: Cli, library: Path) -> None:
    folder = library.parent / place
    folder.mkdir(exist_ok=True)
    (folder / "__init__.pyi").write_text("from .core import connect as connect, Station as Station\n")
    (folder / "core.pyi").write_text(CORE.replace("\n        return self._readers.pop()", " ..."))
    assert found(cli)


def test_overloads_that_differ(cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    overload = "@typing.overload\ndef connect(place: int) -> Other: ...\n\n\ndef connect("
    (library / "core.py").write_text(CORE.replace("def connect(", overload))
    assert not found(cli)


def test_a_coroutine_gives_it_when_it_is_awaited(cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    (library / "core.py").write_text(CORE.replace("def connect", "async def connect"))
    (library.parents[4] / "main.py").write_text(MAIN.replace('meteo.connect("roof")', '(await meteo.connect("roof"))'))
    assert found(cli)


def test_a_pack_knows_better(cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    (library / "core.py").write_text(CORE)
    row = '\n[[results]]\nnames = ["meteo.connect"]\ngives = "meteo.core.Reader"\nsource = "made up"\n'
    (library.parents[4] / "meteo.toml").write_text(PACK + row)
    assert not found(cli)


def test_a_stub_that_imports_itself(cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    (library / "core.py").write_text("from . import *\nfrom .core import connect\n")
    assert not found(cli)


def test_a_report_is_worked_out_again_where_a_stub_has_changed(cli: Cli, library: Path) -> None:
    (library / "py.typed").touch()
    (library / "core.py").write_text(CORE.replace("-> Station", "-> Other"))
    assert not found(cli)
    (library / "core.py").write_text(CORE)
    assert found(cli)
