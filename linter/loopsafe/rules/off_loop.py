"""What LSF101 to LSF107 share: each is the same query, for another kind of loop-bound object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class OffLoopRule(Rule):
    """A loop-bound operation of one category, reached where its loop does not run.

    `category` is the word by which the knowledge files group operations.
    """

    message: ClassVar[str] = "`{operation}` runs {where}; {remedy}"
    category: ClassVar[str]

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The operations of this category that the analysis places off their loop."""
        return analysis.off_loop(self.category)
