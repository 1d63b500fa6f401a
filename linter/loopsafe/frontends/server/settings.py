"""What the editor's settings say: the options of the command line, by the names that the configuration file has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from loopsafe.findings import Confidence
from loopsafe.frontends.options import Selection
from loopsafe.frontends.settings import check_known
from loopsafe.frontends.terminal import CannotWork

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_Codes = tuple[Annotated[str, msgspec.Meta(pattern="^LSF[0-9]{0,3}$")], ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The settings that there are. Where one is not given, the configuration of the project decides."""

    select: _Codes = ()
    extend_select: _Codes = ()
    ignore: _Codes = ()
    extend_exclude: tuple[str, ...] = ()
    min_confidence: Confidence | None = None
    respect_gitignore: bool = True
    dependencies: bool = True
    baseline: str = ""
    no_baseline: bool = False
    since: str = ""
    config: str = ""
    isolated: bool = False
    code_lens: bool = True
    delay: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 300
    """Milliseconds without a change before a text is looked at."""

    @property
    def selection(self) -> Selection:
        """The same as options of the command line."""
        return Selection(
            select=self.select,
            ignore=self.ignore,
            extend_exclude=self.extend_exclude,
            min_confidence=self.min_confidence or "",
            extend_select=self.extend_select,
            respect_gitignore=self.respect_gitignore,
            dependencies=self.dependencies,
            config_file=self.config,
            isolated=self.isolated,
            baseline=self.baseline,
            no_baseline=self.no_baseline,
            since=self.since,
        )


class CannotUse(Exception):
    """Settings that cannot be used; the message says why."""


def read_settings(given: object) -> Settings:
    """Settings as an editor gives them: alone or under `loopsafe`, in kebab case or in camel case, absent ones as null.

    Raises:
        CannotUse: a setting is unknown or has a value that cannot be.
    """
    table = _table(given)
    try:
        settings = msgspec.convert({_kebab(key): value for key, value in table.items() if value is not None}, Settings)
        check_known((*settings.select, *settings.extend_select, *settings.ignore))
    except msgspec.ValidationError as error:
        raise CannotUse(f"settings: {error}") from error
    except CannotWork as error:
        raise CannotUse(f"settings: {error.message}") from error
    return settings


def _table(given: object) -> Mapping[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        for name in ("settings", "loopsafe"):
            inner = given.get(name)
            if isinstance(inner, Mapping):
                given = inner
        return {str(key): value for key, value in given.items() if key not in _OF_CLIENTS}
    raise CannotUse("settings: not a table")


# What extensions keep beside, for themselves.
_OF_CLIENTS = ("trace", "trace.server", "path", "enable", "interpreter")


def _kebab(key: str) -> str:
    return _HUMP.sub("-", key).lower().replace("_", "-")
