"""`loopsafe knowledge` and `loopsafe knowledge show`, run as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.knowledge.load import built_in_packs, read_pack
from tests.support.command_line import Cli

OWN = """\
library = "acme"
version = "acme 1.2"
imports = ["acme_client"]

[[classes]]
names = ["acme_client.Client"]
source = "acme_client/client.py"
"""


@pytest.fixture
def with_own_pack(tmp_path: Path) -> Path:
    """A project with a pack of its own; the path is the pack's."""
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nknowledge = ["acme.toml"]\n')
    (tmp_path / "acme.toml").write_text(OWN)
    return tmp_path / "acme.toml"


class TestList:
    def test_a_line_for_each_pack(self, cli: Cli) -> None:
        done = cli("knowledge")
        assert done.returncode == 0
        listed = {line.split("  ")[0] for line in done.stdout.splitlines()}
        assert listed == {pack.library for pack in built_in_packs()}

    def test_rows_are_counted(self, cli: Cli, with_own_pack: Path) -> None:
        done = cli("knowledge")
        line = next(line for line in done.stdout.splitlines() if line.startswith("acme "))
        assert line.split() == ["acme", "1", "rows", "acme", "1.2", "(from", f"{with_own_pack})"]


class TestShow:
    @pytest.mark.parametrize("name", ["paho-mqtt", "paho", "Paho_MQTT"])
    def test_what_is_printed_is_the_pack(self, name: str, cli: Cli) -> None:
        done = cli("knowledge", "show", name)
        assert done.returncode == 0
        assert read_pack(done.stdout, "printed") in built_in_packs()

    def test_a_pack_of_the_project(self, cli: Cli, with_own_pack: Path) -> None:
        assert cli("knowledge", "show", "acme-client").stdout == OWN

    def test_on_a_terminal_it_is_coloured(self, cli: Cli) -> None:
        assert "\x1b[" in cli("knowledge", "show", "zeroconf", env={"FORCE_COLOR": "1"}).stdout

    def test_an_unknown_library(self, cli: Cli) -> None:
        done = cli("knowledge", "show", "pahoo-mqtt")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "Error: no pack is about `pahoo-mqtt`; did you mean `paho-mqtt`?\n"


@pytest.mark.parametrize("arguments", [["knowledge"], ["knowledge", "show", "trio"]])
def test_a_broken_pack_is_named(arguments: list[str], cli: Cli, with_own_pack: Path) -> None:
    with_own_pack.write_text(OWN.replace("[[classes]]", "[[klasses]]"))
    done = cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(with_own_pack) in done.stderr
    assert "klasses" in done.stderr


BUS = """\
import threading


class Bus:
    def __init__(self):
        self._callbacks = []
        threading.Thread(target=self._deliver, daemon=True).start()

    def subscribe(self, callback):
        self._callbacks.append(callback)

    def _deliver(self):
        while True:
            for callback in self._callbacks:
                callback("m")
"""
USER = """\
import asyncio

from acmebus import Bus


async def main():
    queue = asyncio.Queue()
    Bus().subscribe(lambda message: queue.put_nowait(message))
    print(await queue.get())
"""


def test_what_is_learned_is_a_pack_that_works(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "acmebus.py").write_text(BUS)
    (tmp_path / "app.py").write_text(USER)
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[tool.loopsafe]\nsite-packages = ["lib"]\n')
    learned = cli("knowledge", "learn", "acmebus").stdout
    assert read_pack(learned, "learned").library == "acmebus"
    settings.write_text('[tool.loopsafe]\nknowledge = ["acmebus.toml"]\ndependencies = false\n')
    (tmp_path / "acmebus.toml").write_text(learned)
    done = cli("check", "-q", "app.py")
    assert done.returncode == 1
    assert done.stdout.startswith("app.py:8:37: LSF102 `queue.put_nowait` runs on a worker thread")
