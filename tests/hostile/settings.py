"""Settings that a project should not have: most are refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.projects import Hostile


def _settings(
    name: str, content: str | bytes, more: Callable[[Path], object] | None = None, refused: bool = True
) -> Hostile:
    """A project whose pyproject.toml says this."""

    def write(project: Path) -> None:
        made = content if isinstance(content, bytes) else content.encode()
        (project / "pyproject.toml").write_bytes(made)
        if more:
            more(project)

    return Hostile(name, write, refused)


def _key(name: str, line: str, more: Callable[[Path], object] | None = None, refused: bool = True) -> Hostile:
    return _settings(name, f"[tool.loopsafe]\n{line}\n", more, refused)


def _pack(name: str, content: str | bytes) -> Hostile:
    made = content if isinstance(content, bytes) else content.encode()
    return _key(f"pack: {name}", 'knowledge = ["k.toml"]', lambda project: (project / "k.toml").write_bytes(made))


def _folder(project: Path) -> None:
    (project / "pyproject.toml").unlink()
    (project / "pyproject.toml").mkdir()


def _installed(target: str) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        (project / "packages").mkdir()
        (project / "packages" / "library").symlink_to(target)
        (project / "bad.py").write_text("import library\n", "utf-8")

    return write


def _pipes(project: Path) -> None:
    (project / "packages" / "library").mkdir(parents=True)
    os.mkfifo(project / "packages" / "library" / "bad.py")
    (project / "bad.py").write_text("import library\n", "utf-8")


_ESCAPES = "\\u001b[31m\\n::error::x\\u202e"
_EMPTY = ("[]", "{}", "''", "3", "true", "1979-05-27", "nan")
_KEYS = (
    "select",
    "exclude",
    "knowledge",
    "site-packages",
    "annotations",
    "max-file-size",
    "unreadable",
    "min-confidence",
)

SETTINGS = [
    _settings("not TOML", "[tool.loopsafe\n"),
    _settings("bytes", b"\xff\xfe\0"),
    _settings("NUL", b"[tool.loopsafe]\n\0"),
    _settings("deep lists", "x = " + "[" * 100_000 + "]" * 100_000),
    _settings("deep tables", "x = " + "{a = " * 100_000 + "1" + "}" * 100_000),
    _settings("long key", "[a" + ".a" * 100_000 + "]\nx = 1\n"),
    _settings("long quoted key", "x = {" + "'a' . " * 100_000 + "a = 1}\n"),
    _settings("many digits", "x = " + "9" * 200_000 + "\n[tool.loopsafe]\n"),
    _settings("too large", b"#" * 5_000_000),
    _settings("no table", "[tool]\nloopsafe = 3\n"),
    _settings("a folder", "", _folder),
    _settings(
        "a device",
        "",
        lambda project: ((project / "pyproject.toml").unlink(), (project / "pyproject.toml").symlink_to("/dev/zero")),
    ),
    _settings(
        "a pipe", "", lambda project: ((project / "pyproject.toml").unlink(), os.mkfifo(project / "pyproject.toml"))
    ),
    _key("unknown key", f'"{_ESCAPES}" = 1'),
    _key("long unknown key", "x" * 300_000 + " = 1"),
    _key("odd code", f'select = ["{_ESCAPES}"]'),
    _key("long code", f'ignore = ["{"L" * 300_000}"]'),
    _key("long value", f"exclude = [{'1, ' * 100_000}]"),
    *(
        _key(f"{key} = {value}", f"{key} = {value}")
        for key in _KEYS
        for value in _EMPTY
        if f"{key[:2]}{value}" not in ("se[]", "ex[]", "kn[]", "si[]", "an{}", "ma3")
    ),
    _key("pack that never ends", 'knowledge = ["/dev/zero"]'),
    _key("pack from elsewhere", 'knowledge = ["/etc/passwd"]'),
    _key("pack from above", 'knowledge = ["../outside.py"]'),
    _key("pack by a link", 'knowledge = ["k.toml"]', lambda project: (project / "k.toml").symlink_to("../outside.py")),
    _key("pack that blocks", 'knowledge = ["k.toml"]', lambda project: os.mkfifo(project / "k.toml")),
    _key("pack with NUL in its name", 'knowledge = ["a\\u0000b"]'),
    _key("pack that is a folder", 'knowledge = ["."]'),
    _key("pack that is missing", f'knowledge = ["{_ESCAPES}.toml"]'),
    _pack("deep", "x = " + "[" * 100_000 + "]" * 100_000),
    _pack("bytes", b"\xff\xfe\0"),
    _pack("too large", b"#" * 5_000_000),
    _pack("unknown table", f'["{_ESCAPES}"]\nx = 1\n'),
    _pack("odd rows", 'library = 3\nruns = [1, "x", []]\n'),
    _pack("many digits", "x = " + "9" * 200_000),
    _key("packages of the whole machine", 'site-packages = ["/"]'),
    _key("packages from above", 'site-packages = [".."]'),
    _key("packages with NUL", 'site-packages = ["a\\u0000b"]'),
    _key("packages in a file", 'site-packages = ["victim.py"]'),
    _key("packages by a link", 'site-packages = ["out"]', lambda project: (project / "out").symlink_to("/")),
    _key("package by a link", 'site-packages = ["packages"]', _installed("/"), refused=False),
    _key("packages in a circle", 'site-packages = ["packages"]', _installed(".."), refused=False),
    _key("packages that block", 'site-packages = ["packages"]', _pipes, refused=False),
    _key(
        "the project as a package",
        'site-packages = ["."]',
        lambda project: (project / "bad.py").write_text("import victim\n"),
        refused=False,
    ),
    _key("exclude with NUL", 'exclude = ["a\\u0000b"]'),
    _key("exclude nothing", 'exclude = [""]'),
    _key(
        "exclude oddly",
        'exclude = ["[", "[!", "[z-a]", "' + "?" * 500 + '"]',
        refused=False,
    ),
    _key(
        "exclude slowly",
        f'exclude = ["{"*a" * 40}b"]',
        lambda project: (project / f"{'a' * 200}.py").touch(),
        refused=False,
    ),
    _key(
        "exclude very slowly",
        f'exclude = ["{"*a" * 2000}b", "{"*/" * 1000}b"]',
        lambda project: (project / f"{'a' * 200}.py").touch(),
        refused=False,
    ),
    _key("exclude with a long pattern", f'exclude = ["{"*a" * 5000}b"]'),
    _key(
        "many annotations",
        "annotations = {" + ", ".join(f'"a.b{i}" = "runs-on=x"' for i in range(5_000)) + "}",
        refused=False,
    ),
    _key("odd annotations", f'annotations = {{"{_ESCAPES}" = "{_ESCAPES}"}}', refused=False),
]
