"""One call expression, with the offsets of everything in it: LibCST read as a ruler, not as a printer.

Only the text of the call is given to LibCST. With positions it would take 42 seconds for files of 100,000 lines, it
fails on nesting that Python reads, and it drops form feeds, so that what it says of the rest of the file is off.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from loopsafe.fixes.text import CannotFix, SourceText
from loopsafe.locations import Span

_DEEPEST = 100
_NOTHING = cst.SimpleWhitespace("")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call. Offsets are those of the file's text.

    Attributes:
        node: the LibCST argument.
        start: where it begins, at its star or keyword if it has one.
        value: where its value begins.
        end: where its value ends.
        comma: where the comma after it stands, if there is one.
        tail: where the white space and comments after it, and after its comma, end.
    """

    node: cst.Arg
    start: int
    value: int
    end: int
    comma: int | None
    tail: int

    @property
    def keyword(self) -> str:
        """The keyword, `*` or `**`; empty for a plain argument."""
        return self.node.keyword.value if self.node.keyword else self.node.star

    @property
    def bare_generator(self) -> bool:
        """Whether it is a generator expression that has only the call's own parentheses."""
        return isinstance(self.node.value, cst.GeneratorExp) and not self.node.value.lpar


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call `function(arguments)` in a file. Offsets are those of the file's text.

    Attributes:
        source: the whole file's text.
        node: the LibCST call.
        start: where the function's expression begins; it has its own parentheses with it.
        function_end: where it ends.
        inside: just after the opening parenthesis.
        arguments: in order.
        closing: where the closing parenthesis stands; the call ends one further.
    """

    source: str
    node: cst.Call
    start: int
    function_end: int
    inside: int
    arguments: tuple[Argument, ...]
    closing: int

    @property
    def function(self) -> str:
        """The text of what is called."""
        return self.source[self.start : self.function_end]

    @property
    def lead(self) -> str:
        """White space and comments between the opening parenthesis and the first argument."""
        return self.source[self.inside : self.arguments[0].start] if self.arguments else ""


class Calls:
    """The calls of one file, by span.

    Raises:
        CannotFix: the text is not Python for the running version.
    """

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.tree = parse(text.source)

    @cached_property
    def _nodes(self) -> dict[tuple[int, int, int | None, int | None], ast.Call]:
        return {
            (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset): node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
        }

    def at(self, span: Span) -> CallSite:
        """The call that spans exactly `span`.

        Raises:
            CannotFix: there is none, or LibCST does not read it as Python does.
        """
        node = self._nodes.get((*self._bytes(span.row, span.column), *self._bytes(span.end_row, span.end_column)))
        start = self.text.offset(span.row, span.column)
        code = self.text.source[start : self.text.offset(span.end_row, span.end_column)]
        if node is None or not _same(node, code):
            raise CannotFix(f"no call stands at {span.row}:{span.column}")
        return measure(self.text.source, start, code)

    def _bytes(self, row: int, column: int) -> tuple[int, int]:
        return row, len(self.text.line(row)[: column - 1].encode("utf-8", "surrogatepass"))


def parse(code: str) -> ast.Module:
    """Parse without the warnings about the user's code that Python prints while it parses.

    Raises:
        CannotFix: it is not Python for the running version.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise CannotFix(f"Python cannot read it: {error}") from error


def measure(source: str, start: int, code: str) -> CallSite:
    """Measure the call whose text `code` stands at `source[start:]`.

    Raises:
        CannotFix: LibCST does not read it, or would not write it back the same.
    """
    try:
        return _measure(source, start, code)
    except RecursionError:
        raise CannotFix("the call is nested too deeply") from None


def _measure(source: str, start: int, code: str) -> CallSite:
    # Nodes print exactly the text they were read from, so the lengths of their code are distances in the file.
    module, node = _read(code)
    at = start + len(module.code_for_node(node.func))
    inside = at + len(module.code_for_node(node.whitespace_after_func)) + 1
    arguments, here = [], inside + len(module.code_for_node(node.whitespace_before_args))
    for arg in node.args:
        arguments.append(_argument(module, arg, here))
        here = arguments[-1].tail
    return CallSite(source, node, start, at, inside, tuple(arguments), start + len(code) - 1)


def _argument(module: cst.Module, arg: cst.Arg, start: int) -> Argument:
    whole = module.code_for_node(arg)
    plain = module.code_for_node(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_NOTHING))
    value = start + len(plain) - len(module.code_for_node(arg.value))
    comma = None
    if isinstance(arg.comma, cst.Comma):
        comma = start + len(plain) + len(module.code_for_node(arg.comma.whitespace_before))
    return Argument(arg, start, value, start + len(plain), comma, start + len(whole))


def _read(code: str) -> tuple[cst.Module, cst.Call]:
    # The parentheses let the call go over several lines where it stood in an outer pair of them.
    try:
        module = cst.parse_module(f"({code})")
    except cst.ParserSyntaxError as error:
        raise CannotFix("LibCST cannot read this call") from error
    node = _only_call(module)
    if node is None or module.code != f"({code})":
        raise CannotFix("LibCST would not keep the layout of this call")
    return module, node


def _only_call(module: cst.Module) -> cst.Call | None:
    line = module.body[0]
    statement = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    node = statement.value if isinstance(statement, cst.Expr) else None
    # More parentheses than the one pair put around it would shift everything measured.
    return node if isinstance(node, cst.Call) and len(node.lpar) == 1 else None


def _same(node: ast.Call, code: str) -> bool:
    # Positions inside f-strings are wrong before Python 3.12; comparing the trees tells.
    if _depth(node) > _DEEPEST:
        raise CannotFix("the call is nested too deeply")
    try:
        statement = parse(f"({code})").body[0]
    except CannotFix:
        return False
    return isinstance(statement, ast.Expr) and ast.dump(statement.value) == ast.dump(node)


def _depth(node: ast.AST) -> int:
    depth, level = 0, [node]
    while level:
        depth, level = depth + 1, [child for parent in level for child in ast.iter_child_nodes(parent)]
    return depth
