"""The keys of a configuration: their types, what they mean, and what may stand there. The JSON schema is made of it."""

from __future__ import annotations

import os
import re
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec

from loopsafe.findings import Confidence, Level
from loopsafe.project.sources import LARGEST

# Above this, columns of a file of one line could not be told: facts keep them in 24 bits.
_LARGEST_ALLOWED = (1 << 24) - 1
_LONGEST_PATTERN = 4096
_CODE_PREFIX = re.compile(r"LSF[0-9]{0,3}")

Strings = tuple[str, ...]
Codes = tuple[Annotated[str, msgspec.Meta(pattern=f"^{_CODE_PREFIX.pattern}$")], ...]


def _meta(description: str, must_be: str, least: int | None = None, most: int | None = None) -> msgspec.Meta:
    return msgspec.Meta(description=description, extra={"must be": must_be}, ge=least, le=most)


def _strings(description: str) -> msgspec.Meta:
    return _meta(description, "a list of strings")


def _choice(description: str, values: object) -> msgspec.Meta:
    return _meta(description, f"one of {', '.join(get_args(values))}")


def _switch(description: str) -> msgspec.Meta:
    return _meta(description, "true or false")


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The keys of `[tool.loopsafe]`, as they are written."""

    select: Annotated[Codes, _strings("Codes, or beginnings of codes, to report.")] = ("LSF",)
    extend_select: Annotated[Codes, _strings("Codes, or beginnings of codes, to report as well.")] = ()
    ignore: Annotated[
        Codes,
        _strings(
            "Codes, or beginnings of codes, not to report. Of two that fit a code, one here and one that is selected, "
            "the longer decides; if they are equal, the code is ignored.",
        ),
    ] = ()
    per_file_ignores: Annotated[
        dict[str, Codes],
        _meta(
            "For files that a pattern fits, codes or beginnings of codes not to report there.",
            "a table of patterns and lists of codes",
        ),
    ] = {}
    min_confidence: Annotated[
        Confidence, _choice("The least confidence of what is reported: `likely` means all.", Confidence)
    ] = "likely"
    exclude: Annotated[
        Strings,
        _strings(
            "Patterns of files and folders to leave out. One without `/` is matched against every name below the "
            "project's folder, one with `/` against the path from there."
        ),
    ] = (
        ".*",
        "__pycache__",
        "node_modules",
        "site-packages",
        "venv",
        "build",
        "dist",
        "*.egg-info",
        "__pypackages__",
    )
    extend_exclude: Annotated[Strings, _strings("Patterns of files and folders to leave out as well.")] = ()
    force_exclude: Annotated[
        bool, _switch("Whether what is excluded is left out even where it is named on the command line.")
    ] = False
    respect_gitignore: Annotated[
        bool,
        _switch("Whether what `.gitignore` files and `.git/info/exclude` ignore is left out, as if it were excluded."),
    ] = True
    baseline: Annotated[
        str, _meta("A file of findings that are known and not reported, see `--write-baseline`.", "a path")
    ] = ""
    annotations: Annotated[
        dict[str, str],
        _meta(
            "For functions of the project, by dotted name, what a `# loopsafe:` comment there would say.",
            "a table of dotted names and strings",
        ),
    ] = {}
    knowledge: Annotated[Strings, _strings("Files with more packs of knowledge, in the project.")] = ()
    dependencies: Annotated[
        bool,
        _switch(
            "Whether the packages that the project imports are read where they are installed. Where that is, "
            "`loopsafe env` says."
        ),
    ] = True
    site_packages: Annotated[
        Strings,
        _strings(
            "Folders with installed packages, of the project or of the environment that is active, to read in place "
            "of those that are found."
        ),
    ] = ()
    max_file_size: Annotated[
        int,
        _meta(
            "The most bytes of a file that is analysed.",
            f"a number of bytes from 1 to {_LARGEST_ALLOWED:,}",
            1,
            _LARGEST_ALLOWED,
        ),
    ] = LARGEST
    unreadable: Annotated[
        Level, _choice("What a file amounts to that was found, not named, and cannot be analysed.", Level)
    ] = "warning"


DEFAULTS = Settings()
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
# By the name that is written.
_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Settings)}


def schema() -> dict[str, Any]:
    """The JSON schema of a `loopsafe.toml`, and of `[tool.loopsafe]`."""
    (found,), named = msgspec.json.schema_components([Settings], ref_template="#/$defs/{name}")
    body = named["Settings"] if "$ref" in found else found
    body = msgspec.json.decode(msgspec.json.encode(body))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "loopsafe",
        "description": "The keys of `loopsafe.toml`, and of `[tool.loopsafe]` in `pyproject.toml`.",
        **{key: value for key, value in body.items() if key not in ("title", "description")},
    }


class Unusable(ValueError):
    """A key is not `known` or its value cannot be used; the message goes on after the key's name."""

    def __init__(self, message: str, key: str, known: bool = True) -> None:
        super().__init__(message)
        self.key, self.known = key, known


def read_values(root: Path, table: Mapping[str, object], texts: bool = False) -> dict[str, Any]:
    """The values of a table, by the names of fields; with `texts` it comes from a file that has nothing but strings.

    Raises:
        Unusable: a key is unknown or a value cannot be used.
    """
    return {_field(key).name: _read(root, key, value, texts) for key, value in table.items()}


def _field(key: str) -> msgspec.structs.FieldInfo:
    if key not in _FIELDS:
        raise Unusable(_hint(key), _cut(key), known=False)
    return _FIELDS[key]


def _hint(key: str) -> str:
    from difflib import get_close_matches

    # An underscore for a hyphen is the commonest slip; without this, difflib may prefer a shorter key.
    close = get_close_matches(key[:_BRIEF].lower().replace("_", "-"), _FIELDS, 1)
    return f"; did you mean `{close[0]}`?" if close else f"; known keys: {', '.join(sorted(_FIELDS))}"


def _read(root: Path, key: str, value: object, texts: bool) -> object:
    kind, meta = get_args(_FIELDS[key].type)
    given = value
    try:
        given = _untold(str(value), kind) if texts else value
        # msgspec takes a float without a fraction for a whole number.
        if isinstance(given, float):
            raise msgspec.ValidationError(given)
        found = msgspec.convert(given, _FIELDS[key].type, strict=not texts)
        return _CHECKS[key](root, found) if key in _CHECKS else found
    except msgspec.ValidationError as error:
        wrong = _wrong_code(given) if isinstance(given, dict) is (get_origin(kind) is dict) else ""
        raise Unusable(wrong or f"must be {meta.extra['must be']}, not {brief(value)}", key) from error
    except ValueError as error:
        raise Unusable(str(error), key) from error


def _untold(text: str, kind: object) -> object:
    """What a text stands for where lists are parted by commas or rows, and tables have a row for each entry."""
    if get_origin(kind) is tuple:
        return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
    if get_origin(kind) is dict:
        rows = [re.split(r"\s*[:=]\s*", row.strip(), maxsplit=1) for row in text.splitlines() if row.strip()]
        if any(len(row) != 2 for row in rows):
            raise msgspec.ValidationError(text)
        inner = get_args(kind)[1]
        return {key: _untold(value, inner) for key, value in rows}
    return text.strip()


def _wrong_code(value: object) -> str:
    for one in value.values() if isinstance(value, dict) else [value]:
        if isinstance(one, list) and all(isinstance(item, str) for item in one):
            try:
                code_prefixes(one)
            except ValueError as error:
                return str(error)
    return ""


def code_prefixes(codes: Sequence[str]) -> Strings:
    """Rule codes and prefixes of codes (`LSF`, `LSF1`, `LSF101`).

    Raises:
        ValueError: one is no such prefix; the message goes on after the key's name.
    """
    for code in codes:
        if not _CODE_PREFIX.fullmatch(code):
            raise ValueError(f"has `{_cut(code)}`, which is neither a code such as `LSF101` nor the start of one")
    return tuple(codes)


def _cut(text: str) -> str:
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 4]} ..."


_short = reprlib.Repr()
_BRIEF = _short.maxstring = _short.maxother = _short.maxlong = 80


def brief(value: object) -> str:
    """A value for a message, which does not get longer than people read."""
    return _cut(_short.repr(value))


def _patterns(_root: Path, patterns: Strings) -> Strings:
    for pattern in patterns:
        if not pattern.strip() or "\0" in pattern or len(pattern) > _LONGEST_PATTERN:
            raise ValueError(f"has {brief(pattern)}, which no path matches")
    return patterns


def _per_file(root: Path, ignores: dict[str, Strings]) -> tuple[tuple[str, Strings], ...]:
    _patterns(root, tuple(ignores))
    return tuple(ignores.items())


def _path(_root: Path, path: str) -> str:
    if not path or "\0" in path:
        raise ValueError(f"has {brief(path)}, which is no path")
    return path


def _own(root: Path, path: str) -> str:
    if not _within(os.path.realpath(root / _path(root, path)), os.path.realpath(root)):
        raise ValueError(f"has {brief(path)}, which leads out of the project")
    return path


def _package_folder(root: Path, path: str) -> str:
    """A folder of the project, or of an environment that whoever runs this has chosen."""
    real = os.path.realpath(root / _path(root, path))
    own = _within(real, os.path.realpath(root)) and real != os.path.dirname(real)
    if not own and not _of_environment(real):
        raise ValueError(f"has {brief(path)}, which is neither in the project nor in the active environment")
    return path


def _of_environment(folder: str) -> bool:
    active = (os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    prefixes = (os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix, *active) if prefix)
    named = os.path.basename(folder) in ("site-packages", "dist-packages")
    return named and any(_within(folder, prefix) for prefix in prefixes)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


def _each(check: Callable[[Path, str], str]) -> Callable[[Path, Any], object]:
    return lambda root, paths: tuple(check(root, path) for path in paths)


_CHECKS: dict[str, Callable[[Path, Any], object]] = {
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "per-file-ignores": _per_file,
    "annotations": lambda _root, table: tuple(table.items()),
    "baseline": _own,
    "knowledge": _each(_own),
    "site-packages": _each(_package_folder),
}
