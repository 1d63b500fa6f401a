"""How a module's function is spelled in a file, given what the file imports, and what must be imported for it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from loopsafe.fixes.text import CannotFix

_HEAD = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ALWAYS = ("asyncio", "functools")


class Names:
    """What the names in one file stand for.

    Attributes:
        spelled: dotted path of a module or of something in it, to the name it has at the top of the file.
        loaded: modules imported at the top of the file.
        taken: names that `from` imports bind at the top of the file, to what they stand for and where it is said.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self.spelled: dict[str, str] = {}
        self.loaded: set[str] = set()
        self.taken: dict[str, tuple[str, ast.alias]] = {}
        # An import under a condition or inside a function may not have run, or not be seen, at the call.
        for statement in tree.body:
            for name, target, module in _imported(statement):
                self.spelled.setdefault(target, name)
                self.loaded.add(module)
            if isinstance(statement, ast.ImportFrom):
                targets = [target for _, target, _ in _imported(statement)]
                self.taken |= {a.asname or a.name: (t, a) for a, t in zip(statement.names, targets, strict=True)}

    @cached_property
    def _meanings(self) -> dict[str, set[str]]:
        meanings: dict[str, set[str]] = defaultdict(set)
        for node in ast.walk(self._tree):
            for name, target, _ in _imported(node):
                meanings[name].add(target)
            for name in _bound(node):
                meanings[name].add("")
        return meanings

    def means(self, name: str, target: str) -> bool:
        """Whether `name` is nowhere in the file anything else than the module or object `target`."""
        return self._meanings.get(name, set()) <= {target}


class Speller:
    """Spells for one plan, and keeps what must be imported for it: modules in `needed`, and in `beside` names.

    A name in `beside` goes with the alias after which it is to be imported, from the same module.
    """

    def __init__(self, names: Names, modules: Iterable[str]) -> None:
        self._names = names
        self._modules = sorted({*modules, *_ALWAYS}, key=len, reverse=True)
        self.needed: set[str] = set()
        self.beside: set[tuple[ast.alias, str]] = set()

    def twin(self, name: str, other: str) -> str:
        """The spelling of `other`, which stands in the module that `name` is imported from.

        Raises:
            CannotFix: `name` is not imported at the top of the file, or a name stands for something else, too.
        """
        target, alias = self._names.taken.get(name, ("", None))
        if alias is None or not self._names.means(name, target):
            raise CannotFix(f"`{name}` is not imported at the top of the file")
        wanted = f"{target.rpartition('.')[0]}.{other}"
        spelled = self._names.spelled.get(wanted, other)
        if not self._names.means(spelled, wanted):
            raise CannotFix(f"`{spelled}` is also the name of something else in this file")
        if wanted not in self._names.spelled:
            self.beside.add((alias, other))
        return spelled

    def __call__(self, text: str) -> str:
        """The text of an expression with the module it begins with, if it does, as the file calls it.

        Raises:
            CannotFix: the file uses the module's name for something else.
        """
        head = match.group() if (match := _HEAD.match(text)) else ""
        module = next((m for m in self._modules if head == m or head.startswith(f"{m}.")), "")
        return self._spell(head, module) + text[len(head) :] if module else text

    def _spell(self, head: str, module: str) -> str:
        for target in _prefixes(head, module):
            name = self._names.spelled.get(target, "")
            if name and self._names.means(name, target):
                return name + head[len(target) :]
        # The statement that will import a submodule binds its package.
        root = module.split(".", 1)[0]
        if not self._names.means(root, root):
            raise CannotFix(f"`{root}` is also the name of something else in this file")
        if self._names.spelled.get(root) != root or module not in self._names.loaded:
            self.needed.add(module)
        return head


def _prefixes(head: str, module: str) -> Iterator[str]:
    """`a.b.c.d` and the module `a.b` give `a.b.c.d`, `a.b.c`, `a.b`."""
    while len(head) >= len(module):
        yield head
        head = head.rpartition(".")[0]


def _imported(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    """(name, what it stands for, module loaded) of each name an import statement binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.split(".", 1)[0]
            yield (alias.asname, alias.name, alias.name) if alias.asname else (root, root, alias.name)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            yield alias.asname or alias.name, f"{module}.{alias.name}", module


def _bound(node: ast.AST) -> Iterator[str]:
    """Names a node binds other than by import. `del` counts: after it the name stands for nothing."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
