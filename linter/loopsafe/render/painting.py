"""Lines made of styled pieces, as plain text or with a terminal's colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loopsafe.harmless import printable

Piece = tuple[str, str]
"""A text and its style in rich's words (`bold red`); the style is empty where there is none."""


def painter(colour: bool) -> Callable[[Iterable[Piece]], str]:
    """What turns the pieces of one line into a string, in which only our own styles steer the terminal."""
    if not colour:
        return lambda pieces: printable("".join(text for text, _ in pieces))

    # Only a terminal pays for loading rich.
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(pieces: Iterable[Piece]) -> str:
        return "".join(
            Style.parse(style).render(printable(text), color_system=ColorSystem.STANDARD) for text, style in pieces
        )

    return paint
