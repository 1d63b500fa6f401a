"""LSF001: a `# noqa` comment lists a code of which nothing is found there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from loopsafe.findings import Finding, FixPlan, Rewrite, Step
from loopsafe.locations import Location, Span
from loopsafe.project.noqa import UNUSED, Comment, words
from loopsafe.project.noqa_edits import without
from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation

_OWN = re.compile(r"LSF[0-9]+")
# LSF000 is flake8's word for a file that cannot be analysed.
_APART = ("LSF000", UNUSED)

Rows = Mapping[int, Collection[str]]
"""Codes by the rows on which findings are told of."""


class UnusedNoqa(Rule):
    """A `# noqa` comment lists a code of which nothing is found there.

    ## What it does
    Reports codes such as `LSF102` in `# noqa: LSF102` where no finding of that code would stand without the comment.

    ## Why is this bad?
    The comment says that there is a mistake which is accepted. Once the mistake is gone, it misleads whoever reads it,
    and silences the next one.

    ## Example
    ```python
    async def nap() -> None:
        await asyncio.sleep(1)  # noqa: LSF102
    ```

    ## Use instead
    ```python
    async def nap() -> None:
        await asyncio.sleep(1)
    ```

    ## Fix safety
    Safe. The code goes, and the comment where it lists no other; what else it says stays. It is unsafe where a file of
    the project could not be analysed, from which the way to a finding may lead, and declined where another `# noqa`
    behind this one would take effect.

    ## Conditions checked before reporting
    - The comment is the one that counts for its line, as flake8 reads it, and lists codes: a bare `# noqa` and one for
      the whole file may be meant for other tools.
    - The code is of loopsafe, and all rules that it stands for are selected for the file, or there is none.
    - No finding of any confidence is told of on the line, be it the offending one or another place of a path.
    - The file is the project's own. A script outside of any project is not judged: it is not seen who calls it. A
      project inside another is judged by what is found in it alone: a comment there that silences what only the outer
      one finds needs `per-file-ignores` instead, or one configuration for both.
    """

    code: ClassVar[str] = UNUSED
    name: ClassVar[str] = "unused-noqa"
    message: ClassVar[str] = "`{operation}` silences nothing here; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """None: what the other rules find decides, see `findings`."""
        return iter(())

    @staticmethod
    def may_be_in(text: str) -> bool:
        """Whether a file can have such comments at all: nearly none has."""
        return "LSF" in text

    def findings(
        self, path: str, comments: Iterable[Comment], told: Rows, judged: Mapping[str, bool], complete: bool
    ) -> Iterator[Finding]:
        """Those of a file's comments that list codes in vain. `judged` says of each rule's code whether it is selected.

        `complete` is whether all of the project could be analysed.
        """
        for comment in comments:
            here = {code for row in range(comment.line.first, comment.line.last + 1) for code in told.get(row, ())}
            unused = [word for word in words(comment.match["codes"]) if _in_vain(word, here, judged)]
            if unused:
                yield self._finding(path, comment, list(dict.fromkeys(unused)), complete)

    def _finding(self, path: str, comment: Comment, unused: list[str], complete: bool) -> Finding:
        start = comment.start + comment.match.start() + 1
        location = Location(path, Span(comment.row, start, comment.row, start + len(comment.match[0])))
        some = len(unused) < len(set(words(comment.match["codes"])))
        remedy = f"remove {' and '.join(f'`{code}`' for code in unused)}" if some else "remove it"
        operation = f"# noqa: {', '.join(unused)}"
        return Finding(
            location,
            self.code,
            self.name,
            self.message.format(operation=operation, remedy=remedy),
            "certain",
            "",
            (Step("reaches", location, comment.match[0]),),
            _plan(comment, unused, complete),
        )


def _in_vain(word: str, here: Collection[str], judged: Mapping[str, bool]) -> bool:
    if not _OWN.fullmatch(word) or any(code.startswith(word) for code in (*_APART, *here)):
        return False
    return all(selected for code, selected in judged.items() if code.startswith(word))


def _plan(comment: Comment, unused: Collection[str], complete: bool) -> FixPlan:
    try:
        edit = without(comment, unused)
    except ValueError as error:
        return FixPlan("declined", str(error))
    rewrites = (Rewrite(edit.span, "comment", edit.content),)
    if complete:
        return FixPlan("safe", "", rewrites)
    return FixPlan("unsafe", "not all files of the project could be analysed", rewrites)
