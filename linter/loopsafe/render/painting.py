"""Lines made of styled pieces, as plain text or with a terminal's colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Piece = tuple[str, str]
"""A text and its style in rich's words (`bold red`); the style is empty where there is none."""


def printable(text: str) -> str:
    """The text with whatever could break a line or steer a terminal written as an escape, such as `\\n`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def painter(colour: bool) -> Callable[[Iterable[Piece]], str]:
    """What turns the pieces of one line into a string."""
    if not colour:
        return lambda pieces: "".join(text for text, _ in pieces)

    # Only a terminal pays for loading rich.
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(pieces: Iterable[Piece]) -> str:
        return "".join(Style.parse(style).render(text, color_system=ColorSystem.STANDARD) for text, style in pieces)

    return paint
