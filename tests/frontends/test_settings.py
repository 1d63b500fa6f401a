"""Where a configuration may stand, what it leaves out, and what is said of it; by the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from loopsafe.project.config import Config, ConfigError, load_config
from loopsafe.project.exclusion import unmatched
from loopsafe.project.keys import Settings, schema
from tests.support.command_line import ROOT, Cli

BROKEN = ROOT / "examples" / "broken" / "thread_queue.py"


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A folder in which the search for a configuration ends, with one finding."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    shutil.copy(BROKEN, tmp_path / "a.py")
    return tmp_path


def test_a_configuration_has_the_keys_of_the_schema() -> None:
    names = {field.name for field in fields(Config)} - {"root", "since", "origins"}
    assert names == set(Settings.__struct_fields__)
    assert set(schema()["properties"]) == {name.replace("_", "-") for name in names}
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({"select": ["LSF1"], "per-file-ignores": {"tests/*": ["LSF102"]}, "force-exclude": True}, True),
        ({"selct": ["LSF1"]}, False),
        ({"select": "LSF1"}, False),
        ({"select": ["E501"]}, False),
        ({"per-file-ignores": {"tests": ["E501"]}}, False),
        ({"max-file-size": 0}, False),
        ({"unreadable": "fatal"}, False),
    ],
)
def test_the_schema_takes_what_is_read(value: dict[str, object], valid: bool, tmp_path: Path) -> None:
    assert jsonschema.Draft202012Validator(schema()).is_valid(value) is valid
    lines = [
        f"{key} = {json.dumps(item)}"
        if not isinstance(item, dict)
        else f"{key} = {{{', '.join(f'{json.dumps(k)} = {json.dumps(v)}' for k, v in item.items())}}}"
        for key, item in value.items()
    ]
    (tmp_path / "loopsafe.toml").write_text("\n".join(lines), "utf-8")
    if valid:
        load_config(tmp_path)
    else:
        with pytest.raises(ConfigError, match=r"loopsafe\.toml"):
            load_config(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.loopsafe]\nignore = ["LSF101", "LSF2"]\nforce-exclude = true\n'),
        ("loopsafe.toml", 'ignore = ["LSF101", "LSF2"]\nforce-exclude = true\n'),
        (".loopsafe.toml", 'ignore = ["LSF101", "LSF2"]\nforce-exclude = true\n'),
        (".flake8", "[flake8]\nselect = E\n[loopsafe]\nignore = LSF101, LSF2\nforce-exclude = true\n"),
        ("setup.cfg", "[loopsafe]\nignore =\n    LSF101\n    LSF2\nforce-exclude: true\n"),
        ("tox.ini", "[loopsafe]\nignore = LSF101,LSF2,\nforce-exclude = 1\n"),
    ],
)
def test_every_file_says_the_same(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    config = load_config(tmp_path / "pkg" / "x.py")
    assert config == Config(tmp_path, ignore=("LSF101", "LSF2"), force_exclude=True)
    assert name in config.place("ignore")


def test_tables_and_numbers_in_sections(tmp_path: Path) -> None:
    text = "[loopsafe]\nper-file-ignores =\n    tests/*: LSF1, LSF2\n    a.py: LSF102\nmax-file-size = 10\n"
    (tmp_path / "setup.cfg").write_text(text, "utf-8")
    ignores = (("tests/*", ("LSF1", "LSF2")), ("a.py", ("LSF102",)))
    assert load_config(tmp_path) == Config(tmp_path, per_file_ignores=ignores, max_file_size=10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[loopsafe]\nselct = LSF\n", "setup.cfg: unknown key `selct` in [loopsafe]; did you mean `select`?"),
        ("[loopsafe]\nforce-exclude = maybe\n", "must be true or false, not 'maybe'"),
        ("[loopsafe]\nper-file-ignores = a.py\n", "must be a table of patterns and lists of codes, not 'a.py'"),
        ("[loopsafe]\nselect = E1\n", "has `E1`, which is neither a code"),
        ("[loopsafe]\nselect\n", "setup.cfg: Source contains parsing errors"),
    ],
)
def test_wrong_sections_name_file_and_key(text: str, message: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "setup.cfg").write_text(text, "utf-8")
    done = cli("check", "a.py")
    assert done.returncode == 2
    assert message in done.stderr


def test_two_files_add_up_and_may_not_contradict(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "loopsafe.toml").write_text('ignore = ["LSF101"]\n', "utf-8")
    (tmp_path / "setup.cfg").write_text("[loopsafe]\nignore = LSF101\nmin-confidence = certain\n", "utf-8")
    assert load_config(tmp_path) == Config(tmp_path, ignore=("LSF101",), min_confidence="certain")
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nmin-confidence = "likely"\n', "utf-8")
    done = cli("check", "a.py")
    assert done.returncode == 2
    assert "`min-confidence` is 'likely' in pyproject.toml [tool.loopsafe], but 'certain' in setup.cfg" in done.stderr


def test_config_shows_what_holds_and_from_where(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "loopsafe.toml").write_text('ignore = ["LSF101"]\n', "utf-8")
    lines = cli("config", "--extend-select", "LSF1").stdout.splitlines()
    assert f'root = "{tmp_path}"' in lines
    assert 'ignore = ["LSF101"]  # loopsafe.toml' in lines
    assert 'extend-select = ["LSF1"]  # --extend-select' in lines
    assert 'min-confidence = "likely"  # default' in lines
    told = json.loads(cli("check", "--show-settings", "--output-format", "json").stdout)
    assert told["settings"]["ignore"] == {"value": ["LSF101"], "from": "loopsafe.toml"}
    assert json.loads(cli("config", "--schema").stdout) == schema()


def test_a_named_file_and_none(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "loopsafe.toml").write_text('select = ["LSF201"]\n', "utf-8")
    (tmp_path / "other.toml").write_text('ignore = ["LSF102"]\n', "utf-8")
    (tmp_path / "other.ini").write_text("[loopsafe]\nselect = LSF102\n", "utf-8")
    assert cli("check", "a.py").returncode == 0
    assert cli("check", "a.py", "--isolated").returncode == 1
    assert cli("check", "a.py", "--config", "other.toml").returncode == 0
    assert cli("check", "a.py", "--config", "other.ini").returncode == 1
    (tmp_path / "loopsafe.toml").write_text("select = 3\n", "utf-8")
    assert cli("check", "a.py", "--isolated").returncode == 1
    assert cli("check", "a.py", "--config", "gone.toml").stderr.startswith("Error: gone.toml: no such file")
    assert "--config names one" in cli("check", "--isolated", "--config", "other.ini").stderr


def test_per_file_ignores_and_extend_select(tmp_path: Path, cli: Cli) -> None:
    shutil.copy(BROKEN, tmp_path / "b.py")
    (tmp_path / "loopsafe.toml").write_text('per-file-ignores = {"b.py" = ["LSF10"]}\n', "utf-8")
    assert [line.split(":")[0] for line in cli("check", "--output-format", "concise", "-q").stdout.splitlines()] == [
        "a.py"
    ]
    (tmp_path / "loopsafe.toml").write_text('select = ["LSF2"]\nextend-select = ["LSF102"]\n', "utf-8")
    assert cli("check", "a.py").returncode == 1
    assert cli("check", "a.py", "--select", "LSF2").returncode == 0
    assert "no rule's code starts with `LSF9`" in cli("check", "--extend-select", "LSF9").stderr


def test_force_exclude(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "loopsafe.toml").write_text('extend-exclude = ["a.py"]\n', "utf-8")
    assert cli("check", "a.py").returncode == 1
    assert cli("check", "a.py", "--force-exclude").returncode == 0
    (tmp_path / "loopsafe.toml").write_text('extend-exclude = ["a.py"]\nforce-exclude = true\n', "utf-8")
    assert cli("check", "a.py").returncode == 0
    assert cli("check", "-", "--stdin-filename", "a.py", stdin=BROKEN.read_bytes()).returncode == 0


def test_git_ignores(tmp_path: Path, cli: Cli) -> None:
    """The same files as git itself would take up."""
    names = [
        "pkg/made_x.py",
        "pkg/made_keep.py",
        "pkg/out/b.py",
        "out/b.py",
        "deep/er/local.py",
        "deep/x.py",
        "info.py",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BROKEN, tmp_path / name)
    (tmp_path / ".gitignore").write_text("made_*.py\n!made_keep.py\n/out\n", "utf-8")
    (tmp_path / "deep" / ".gitignore").write_text("*\n!er/\n!x.py\n", "utf-8")
    (tmp_path / ".git" / "info" / "exclude").write_text("info.py\n", "utf-8")
    git = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard", "*.py"]
    taken = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split()
    assert "pkg/made_keep.py" in taken
    assert len(taken) < len(names)
    assert cli("check", "--show-files").stdout.split() == sorted(taken)
    assert cli("check", "--show-files", "deep").stdout.split() == [name for name in taken if name.startswith("deep/")]
    everything = cli("check", "--show-files", "--no-respect-gitignore").stdout.split()
    assert everything == sorted([*names, "a.py"])


def test_ignore_files_that_would_take_long(tmp_path: Path, cli: Cli) -> None:
    lines = ["*a" * 60 + "b", "/".join(["**", "a"] * 60), "[", "\\", "é\udcff"]
    (tmp_path / ".gitignore").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape") * 300)
    (tmp_path / ("a" * 200 + ".py")).write_text("", "utf-8")
    assert cli("check").returncode == 1


def test_excludes_that_match_nothing_are_named(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "loopsafe.toml").write_text('extend-exclude = ["vendr", "old/*.py"]\n', "utf-8")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "x.py").write_text("", "utf-8")
    done = cli("check", "--extend-exclude", "nothing")
    assert "loopsafe.toml and --extend-exclude: warning: `vendr` in `extend-exclude` matches nothing" in done.stderr
    assert "`nothing`" in done.stderr
    assert "old/*.py" not in done.stderr
    assert done.returncode == 1
    assert "matches nothing" not in cli("check", "-q").stderr
    assert unmatched(str(tmp_path), ["old", "x.py"], []) == ("x.py",)
