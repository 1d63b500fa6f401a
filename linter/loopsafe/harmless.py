"""Text of a project, made harmless for terminals and the logs of build servers: the one place that does it.

What a project says may steer a terminal by control characters, show code in another order than it runs by bidirectional
ones, hide in characters that take no room, or be a command to the server that reads the log.
"""

from __future__ import annotations

import re
from functools import partial

# Marks and letters that nothing is drawn for; Python takes them for printable, the others of their kind not.
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_SUSPECT = re.compile(f"[{_UNSEEN}]")
_COMMAND = re.compile(
    r"""
    \A\ *:(?=:)                                 # GitHub: at the beginning of a line, whatever follows
    | :(?=:[\w.-]+(?:\ .*?)?::)                 # GitHub: a whole one; what stands before it may be cut off
    | \#(?=\#[\w.-]*\[)                         # GitHub's older ones, Azure, TeamCity: anywhere in a line
    | (?:section_(?:start|end)|travis_(?:fold|time)):(?=\w)   # GitLab, Travis
    """,
    re.VERBOSE | re.IGNORECASE,
)


def printable(text: str) -> str:
    """The text on one line, with what is not to be seen, and the beginning of commands, written as escapes: `\\n`."""
    if not text.isprintable() or _SUSPECT.search(text):
        text = "".join(char if char.isprintable() and not _SUSPECT.match(char) else _escaped(char) for char in text)
    return _COMMAND.sub(_broken, text)


def printable_lines(text: str) -> str:
    """The same for each line of a text of many."""
    return "\n".join(map(printable, text.split("\n")))


def without_commands(json: str) -> str:
    """JSON in ASCII that says the same and has no command in it."""
    return "\n".join(map(partial(_COMMAND.sub, _broken_in_json), json.split("\n")))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _broken(command: re.Match[str]) -> str:
    return f"{command[0][:-1]}\\x{ord(command[0][-1]):02x}"


def _broken_in_json(command: re.Match[str]) -> str:
    return f"{command[0][:-1]}\\u{ord(command[0][-1]):04x}"
