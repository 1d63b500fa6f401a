"""A project that says whatever steers a terminal or a build server, and all output on it: none of that gets through."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from loopsafe.frontends.fleet import formats as fleet_formats
from loopsafe.harmless import printable, without_commands
from loopsafe.render import formats
from tests.support.command_line import environment
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="such names are for Unix file systems")

COMMANDS = (
    "::stop-commands::token",
    "::set-env name=PATH::x",
    "##[add-mask]x",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStop]",
    "section_start:1:x",
    "travis_fold:start:x",
)
# No colours that we use: those are told apart by that.
CONTROLS = "\x1b[8m\x1b[5m\x1b]0;title\x07\x1b[2J\x9b5m\x08\x7f"
UNSEEN = "\u202e\u2066\u200e\u061c\u200b\ufeff\u034f\ufe0f\u3164\U000e0041\u2028"
HOSTILE = f"{CONTROLS}{UNSEEN} {' '.join(COMMANDS)}"
TOML = '"' + "".join(f"\\U{ord(char):08x}" for char in f"{HOSTILE}\r\n::error::x") + '"'
# A name that Python takes, and nothing is drawn for it.
NAME = "\u3164"
CODE = f"""\
import asyncio
import threading

TEXT = '''
::stop-commands::token
 ::error::x
\t{HOSTILE}
'''
class Feed{NAME}:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self.{NAME}, self.{NAME}2 = asyncio.Queue(), asyncio.Queue()
        threading.Thread(target=self.work, name="{HOSTILE}").start()
        threading.Thread(target=self.take).start()

    def work(self):
        self.{NAME}.put_nowait("{HOSTILE}"); "{HOSTILE}"

    def take(self):
        self.{NAME}2.get_nowait("{HOSTILE}")

    def remarked(self):  # loopsafe: runs-on={HOSTILE}
        pass
"""
NAMES = (
    *(f"{command} {number}" for number, command in enumerate(COMMANDS)),
    "\n::error::x",
    "\r\x1b[8mx",
    f"x{UNSEEN}",
    "plain & simple %%{init: x}%% &#8238;",
    os.fsdecode(b"\xff\x9b5m"),
)
SETTINGS = f"""\
[tool.loopsafe]
knowledge = ["pack.toml"]

[tool.loopsafe.annotations]
{TOML} = {TOML}
"""
PACK = f"""\
library = {TOML}
version = {TOML}
imports = ["mine"]
# {UNSEEN} {" ".join(COMMANDS)}

[[classes]]
names = ["mine.Channel"]
loop_bound = true
source = {TOML}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with names, sources, settings, remarks, packs and links of that kind."""
    folder = tmp_path_factory.mktemp("project") / "::error::"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (folder / "pack.toml").write_text(PACK, "utf-8")
    outside = folder.parent / f"outside{HOSTILE}"
    outside.touch()
    for name in NAMES:
        (folder / f"{name}.py").write_text(CODE, "utf-8", newline="\n")
        (folder / f"{name} broken.py").write_text(f'def "{HOSTILE}', "utf-8")
        (folder / f"{name} link.py").symlink_to(outside)
    (folder / "odd.py").write_text(CODE, "utf-8", newline="\n")
    (folder / "encoding.py").write_bytes(b"# coding: " + HOSTILE.encode() + b"\n\xff")
    return folder


def let_through(output: bytes, coloured: bool = False, github: bool = False) -> list[str]:
    """What of the output a terminal or a build server would act on, but for our own colours and annotations."""
    text = output.decode("utf-8")
    if coloured:
        text = re.sub(r"\x1b\[(?![58]m)[\d;]*m", "", text).replace("\r\n", "\n")
    if github:
        text = re.sub(r"(?m)^::(?:error|warning) title=[^:\n]*::", "", text)
    found = [repr(char) for char in text if char != "\n" and (not char.isprintable() or char in UNSEEN)]
    found += [repr(char) for char in text if unicodedata.category(char) in ("Cf", "Co", "Cs", "Zl", "Zp")]
    for pattern in (
        r"(?m)^\s*::.*",
        r"::[\w-]+(?: [^\n:]*)?::",
        r"(?i)##[\w.]*\[",
        r"(?:section_(?:start|end)|travis_\w+):\w+:",
    ):
        found += re.findall(pattern, text)
    return found


def run(project: Path, *arguments: str, **env: str) -> tuple[bytes, bytes]:
    """What a command writes to a pipe: standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=environment(**env),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr
    return done.stdout, done.stderr


CLEAN = ("clean", f"{HOSTILE}\n::error::x")
CHECKS = [
    *(("check", "--output-format", name) for name in formats.names()),
    *(("check", "--statistics", "--output-format", name) for name in ("text", "concise", "json")),
    ("check", "-v"),
    ("check", "--profile"),
    ("check", *(f"{name}.py" for name in NAMES)),
]
OTHERS = [
    ("trace", "odd.py:16"),
    ("trace", "odd.py:16", "--output-format", "json"),
    ("graph",),
    ("graph", "--format", "mermaid"),
    ("graph", "--all"),
    ("graph", "--format", "html"),
    ("callgraph",),
    *(("fleet", ".", "--output-format", name) for name in fleet_formats.NAMES),
    ("rules",),
    ("explain", "LSF102"),
    ("knowledge",),
    ("knowledge", "show", "mine"),
    CLEAN,
]
# Nothing of the project is in these, or nothing that needs an escape of those looked for.
TABLE = ("fleet", ".", "--output-format", "table")
OWN_TEXT = (CLEAN, ("rules",), ("explain", "LSF102"), ("graph",), ("graph", "--format", "mermaid"), TABLE)
# Each tells of the argument.
ERRORS = [
    ("check", f"{HOSTILE}\n::error::x"),
    ("check", "--select", f"LSF::error::{CONTROLS}{UNSEEN}"),
    ("check", "--output-format", f"\n{HOSTILE}"),
    (f"check\n{HOSTILE}",),
    ("check", f"--{HOSTILE}\n::error::x"),
    ("check", "-o", f"no/{HOSTILE}\n::error::x"),
    ("check", "--verify", f"odd.py/{HOSTILE}\n::error::x"),
    ("check", "--stdin-filename", f"\n{HOSTILE}.py", "-"),
    ("trace", f"{HOSTILE}\n::error::x"),
    ("trace", f"{HOSTILE}\n::error::x.py:1"),
    ("trace", "\n::error::x broken.py:1"),
    ("graph", f"{HOSTILE}\n::error::x"),
    ("graph", "-o", f"no/{HOSTILE}\n::error::x"),
    ("explain", f"{HOSTILE}\n::error::x"),
    ("knowledge", "show", f"{HOSTILE}\n::error::x"),
    ("callgraph", f"{HOSTILE}\n::error::x"),
    ("fleet", f"{HOSTILE}\n::error::x"),
    ("fleet", "-r", f"{HOSTILE}\n::error::x"),
    ("fleet", ".", "--results", f"no/{HOSTILE}\n::error::x"),
]


def told(*arguments: str) -> str:
    return " ".join(argument for argument in arguments if argument.isascii() and argument.isprintable())


@pytest.mark.parametrize("arguments", [*CHECKS, *OTHERS, *ERRORS], ids=lambda value: told(*value))
def test_nothing_gets_through_to_a_log(arguments: tuple[str, ...], project: Path) -> None:
    output, errors = run(project, "loopsafe", *arguments)
    assert (let_through(output, github="github" in arguments), let_through(errors)) == ([], [])
    if arguments not in OWN_TEXT and "--statistics" not in arguments:
        assert any(escape in output + errors for escape in (b"x3a", b"u003a", b"x1b"))


@pytest.mark.parametrize(
    "arguments", [*CHECKS[: len(formats.names())], *CHECKS[-2:], *OTHERS], ids=lambda value: told(*value)
)
def test_nothing_gets_through_to_a_terminal(arguments: tuple[str, ...], project: Path) -> None:
    quiet = () if arguments[0] in ("rules", "explain", "knowledge", "callgraph", "clean") else ("-q",)
    output = on_a_terminal(project, {}, "-m", "loopsafe", *arguments, *quiet)
    assert let_through(output, coloured=True, github="github" in arguments) == []


def test_json_says_what_it_is_about(project: Path) -> None:
    found = json.loads(run(project, "loopsafe", "check", "--output-format", "json")[0])
    assert {finding["filename"] for finding in found} == {*(f"{name}.py" for name in NAMES), "odd.py"}
    assert any(HOSTILE in step["source"] for finding in found for step in finding["witness"])


def test_output_files_are_as_clean(project: Path, tmp_path: Path) -> None:
    for arguments in [*CHECKS[: len(formats.names())], *OTHERS[2:4]]:
        run(project, "loopsafe", *arguments, "-o", str(tmp_path / "out"))
        assert let_through((tmp_path / "out").read_bytes(), github="github" in arguments) == []


class TestFix:
    @pytest.fixture
    def copy(self, project: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))

    @pytest.mark.parametrize("arguments", [("fix",), ("check", "--fix"), ("check", "--verify", "shown")], ids=" ".join)
    def test_in_a_log(self, arguments: tuple[str, ...], copy: Path) -> None:
        output, errors = run(copy, "loopsafe", *arguments)
        assert (let_through(output), let_through(errors)) == ([], [])
        assert b"x3a" in output + errors
        if "--verify" in arguments:
            made = sorted((copy / "shown").iterdir())
            assert len(made) >= len(NAMES)
            assert [let_through(os.fsencode(file.name) + file.read_bytes()) for file in made] == [[]] * len(made)

    def test_a_refusal(self, copy: Path) -> None:
        for file in copy.glob("*.py"):
            file.chmod(0o444)
        output, errors = run(copy, "loopsafe", "fix")
        assert b"is read-only" in errors
        assert (let_through(output), let_through(errors)) == ([], [])

    @pytest.mark.parametrize("arguments", [("fix", "-q"), ("fix", "-q", "--diff")], ids=" ".join)
    def test_on_a_terminal(self, arguments: tuple[str, ...], copy: Path) -> None:
        output = on_a_terminal(copy, {}, "-m", "loopsafe", *arguments)
        assert let_through(output, coloured=True) == []
        assert b"x3a" in output

    def test_in_colour_in_a_log(self, copy: Path) -> None:
        output, errors = run(copy, "loopsafe", "fix", "--diff", FORCE_COLOR="1")
        assert let_through(output, coloured=True) == []
        assert let_through(errors) == []

    def test_questions_on_a_terminal(self, copy: Path) -> None:
        output = on_a_terminal(
            copy, {}, "-m", "loopsafe", "fix", "-q", "--interactive", typed="a\n" * len(NAMES) + "q\n"
        )
        assert b"[a]ccept" in output
        assert let_through(output, coloured=True) == []

    @pytest.mark.parametrize("tool", [("git", "apply"), ("patch", "-p1")], ids=lambda value: value[0])
    def test_a_piped_diff_has_the_files_own_bytes(self, tool: tuple[str, ...], copy: Path, tmp_path: Path) -> None:
        if not shutil.which(tool[0]):
            pytest.skip(f"needs {tool[0]}")
        patch, errors = run(copy, "loopsafe", "fix", "--diff")
        assert HOSTILE.encode() in patch
        assert let_through(errors) == []
        headers = b"\n".join(line for line in patch.split(b"\n") if line.startswith((b"--- ", b"+++ ")))
        # A tab ends a name with spaces.
        assert let_through(headers.replace(b"\t\n", b"\n").removesuffix(b"\t")) == []
        fixed = Path(shutil.copytree(copy, tmp_path / "fixed", symlinks=True))
        run(fixed, "loopsafe", "fix")
        done = subprocess.run(tool, cwd=copy, input=patch, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        for name in NAMES:
            assert (copy / f"{name}.py").read_bytes() == (fixed / f"{name}.py").read_bytes() != CODE.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "cp1252"])
def test_a_piped_diff_is_in_the_files_encoding(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    start = "" if encoding == "utf-8-sig" else f"# coding: {encoding}\n"
    source = start + CODE.replace(HOSTILE, "\x0cséance\x1b[8m").replace(NAME, "q").replace("\n", "\r\n")
    (tmp_path / "a.py").write_bytes(source.encode(encoding))
    patch, _ = run(tmp_path, "loopsafe", "fix", "--diff", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert "séance".encode(encoding.removesuffix("-sig")) in patch
    subprocess.run(["git", "apply"], cwd=tmp_path, input=patch, check=True, timeout=60)
    applied = (tmp_path / "a.py").read_bytes()
    (tmp_path / "a.py").write_bytes(source.encode(encoding))
    run(tmp_path, "loopsafe", "fix")
    assert applied == (tmp_path / "a.py").read_bytes() != source.encode(encoding)


@pytest.mark.parametrize(
    "settings",
    [
        f"{TOML} = 1",
        f"select = {TOML}",
        f"select = [{TOML}]",
        f"min-confidence = {TOML}",
        f"knowledge = [{TOML}]",
        f"site-packages = [{TOML}]",
        f"exclude = {{ {TOML} = {TOML} }}",
        f"annotations = [{TOML}]",
        f"x = '{CONTROLS}",
        f"{HOSTILE}",
        'knowledge = ["pack.toml"]',
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [("loopsafe", "check"), ("loopsafe", "knowledge"), ("flake8", "--select", "LSF")])
def test_settings_that_cannot_be_used(settings: str, command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.loopsafe]\n{settings}\n", "utf-8")
    (tmp_path / "pack.toml").write_text(f"library = 1\n{TOML} = {TOML}\n{HOSTILE}", "utf-8")
    (tmp_path / "a.py").write_text("pass\n")
    output, errors = run(tmp_path, *command)
    assert (let_through(output), let_through(errors)) == ([], [])


def test_what_flake8_is_told(project: Path) -> None:
    # The path is flake8's own business.
    output, errors = run(
        project, "flake8", "--select", "LSF", "--format", "%(row)d %(code)s %(text)s", "--jobs", "1", "."
    )
    assert b" LSF102 " in output
    assert (let_through(output), let_through(errors)) == ([], [])


def test_a_bug_of_ours(tmp_path: Path) -> None:
    program = (
        "import loopsafe.frontends.commands.rules as broken\n"
        "from loopsafe.frontends.cli import main\n"
        "def fail():\n"
        f"    raise ValueError({HOSTILE + chr(10) + '::error::x'!r})\n"
        "broken.show_rules = fail\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "rules"], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"This is a bug in loopsafe" in done.stderr
    assert let_through(done.stderr) == []


def test_what_is_harmless_stays() -> None:
    for text in ("a[::2]", "a[x, ::step]", "# ## [x]", "std::vector", "séance 日本 🎵", "{'a': 1}", "f(a)[::b][::c]"):
        assert printable(text) == text


@pytest.mark.parametrize("text", [HOSTILE, "\\#", "\\\\##[x]", " ::x", "::::", *COMMANDS])
def test_json_stays_the_same(text: str) -> None:
    written = without_commands(json.dumps([text, {text: text}], indent=2))
    assert json.loads(written) == [text, {text: text}]
    assert let_through(written.encode()) == []
    assert let_through(printable(text).encode()) == []
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize("text", [*COMMANDS, *re.sub(r"[\[\]\w;]", "", CONTROLS), *UNSEEN, "\n::x"], ids=ascii)
def test_what_gets_through_is_seen(text: str) -> None:
    assert let_through(text.encode())
