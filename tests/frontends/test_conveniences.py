"""Small things that a person trips over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, Cli


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> None:
    """A project with one finding, and a folder that has the name of a command."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "rules").mkdir()
    shutil.copy(ROOT / "examples" / "broken" / "thread_queue.py", tmp_path / "a.py")


def test_a_path_means_check(cli: Cli) -> None:
    assert cli("a.py", "-q").stdout == cli("check", "a.py", "-q").stdout
    assert cli(".", "--exit-zero").returncode == 0
    assert cli("./rules").returncode == 0
    assert cli("gone.py").stderr.startswith("gone.py: No such file")
    assert cli("rules").stdout.startswith("LSF")
    assert "No such command 'chekc'" in cli("chekc").stderr


def test_an_option_of_check_means_check(cli: Cli) -> None:
    assert cli("--select", "LSF102", "a.py", "-q").stdout == cli("check", "a.py", "-q").stdout != ""
    assert cli("--select=LSF103", "a.py", "-q").stdout == ""
    assert cli("-q", "a.py").returncode == 1
    assert cli("-", "--stdin-filename", "b.py", stdin="x = 1\n").returncode == 0
    assert "No such option" in cli("--selekt", "a.py").stderr
    assert cli("--version").stdout.startswith("loopsafe ")
    assert "Commands:" in cli("-h").stdout


def test_the_beginning_of_a_code_lists(cli: Cli) -> None:
    lines = cli("explain", "lsf2").stdout.splitlines()
    assert len(lines) > 3
    assert all(line.startswith("LSF2") for line in lines)
    assert cli("explain", "LSF9").returncode == 2


def test_lists_as_json_with_a_filter(cli: Cli) -> None:
    (rule,) = json.loads(cli("rules", "--output-format", "json", "--filter", "Queue is").stdout)
    assert (rule["code"], rule["name"]) == ("LSF102", "off-loop-queue")
    (pack,) = json.loads(cli("knowledge", "--output-format", "json", "--filter", "paho").stdout)
    assert pack["library"] == "paho-mqtt"
    assert pack["imports"] == ["paho.mqtt"] or "paho" in str(pack["imports"])
    assert cli("rules", "--filter", "nothing like it").stdout == ""
    assert cli("knowledge", "--filter", "nothing like it").stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, cli: Cli) -> None:
    # bash is asked for its version, where it is there.
    assert "_LOOPSAFE_COMPLETE" in cli(env={"_LOOPSAFE_COMPLETE": f"{shell}_source"}).stdout
    words = {"COMP_WORDS": "loopsafe ch", "COMP_CWORD": "1" if shell != "fish" else "ch"}
    assert "check" in cli(env={"_LOOPSAFE_COMPLETE": f"{shell}_complete", **words}).stdout


def test_the_help_says_how_to_begin(cli: Cli) -> None:
    told = cli("--help").stdout
    assert all(option in told for option in ("--write-baseline", "--add-noqa", "--output-format"))
