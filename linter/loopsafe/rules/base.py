"""What a rule is: one object that carries its code, name, message, documentation and check."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation

SECTIONS = (
    "What it does",
    "Why is this bad?",
    "Example",
    "Use instead",
    "Fix safety",
    "Conditions checked before reporting",
)


class Rule:
    """Base class of the rules. A subclass is a complete rule; its docstring is its documentation page.

    `message` is a template; its fields are those of `contexts.analysis.Violation.fields()`.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    message: ClassVar[str]

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The violations of this rule in the analysed program, in any order."""
        raise NotImplementedError

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n", 1)[0]

    @classmethod
    def documentation(cls) -> str:
        """The rule's page in Markdown, with a heading a section."""
        return f"# {cls.code} {cls.name}\n\n{inspect.getdoc(cls)}\n"

    @classmethod
    def sections(cls) -> dict[str, str]:
        """The documentation by section heading (`## What it does`, ...)."""
        parts = re.split(r"(?m)^## (.+)$", inspect.getdoc(cls) or "")
        return {title: body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}
