"""Type comments: `self.x = None  # type: Optional[Task]` is read as `self.x: Optional[Task] = None`."""

from __future__ import annotations

import ast
import re

# Most are `# type: ignore`, which says nothing here.
_COMMENT = re.compile("# type:(?! *ignore)")


def has_comments(source: str) -> bool:
    """Whether a text may have type comments that say anything."""
    return _COMMENT.search(source) is not None


def parse_with_comments(source: str, filename: str) -> ast.Module:
    """The tree of a text, with its type comments as annotations; without them where one stands in a wrong place."""
    try:
        tree = ast.parse(source, filename, type_comments=True)
    except SyntaxError:
        return ast.parse(source, filename)
    tree = _ToAnnotations().visit(tree)
    assert isinstance(tree, ast.Module)
    return tree


class _ToAnnotations(ast.NodeTransformer):
    """Quoted annotations are read anyway: a comment becomes one of those."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        if not node.type_comment or len(node.targets) > 1 or not isinstance(target, (ast.Name, ast.Attribute)):
            return self.generic_visit(node)
        annotated = ast.AnnAssign(target, _quoted(node.type_comment, node), self.visit(node.value), simple=0)
        return ast.copy_location(annotated, node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if node.type_comment and node.annotation is None:
            node.annotation = _quoted(node.type_comment, node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        signature = _signature(node.type_comment)
        if signature is not None and node.returns is None:
            node.returns = _quoted(ast.unparse(signature.returns), node)
            for arg, type_ in _pairs(node.args, signature.argtypes):
                if arg.annotation is None and not isinstance(type_, ast.Constant):
                    arg.annotation = _quoted(ast.unparse(type_), arg)
        return node


def _pairs(args: ast.arguments, types: list[ast.expr]) -> list[tuple[ast.arg, ast.expr]]:
    """Each parameter with its type. That of `self` may be left out."""
    rest, keywords = [args.vararg] if args.vararg else [], [args.kwarg] if args.kwarg else []
    every = [*args.posonlyargs, *args.args, *rest, *args.kwonlyargs, *keywords]
    missing = len(every) - len(types)
    return list(zip(every[missing:], types, strict=True)) if missing in (0, 1) else []


def _signature(comment: str | None) -> ast.FunctionType | None:
    try:
        return ast.parse(comment, mode="func_type") if comment else None
    except SyntaxError:
        return None


def _quoted(comment: str, at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Constant(comment), at)
