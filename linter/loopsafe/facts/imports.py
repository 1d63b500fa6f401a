"""What files import, as dotted names."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.schema import FileFacts, Import

_MOST_PARTS = 100


def imports_in(facts: FileFacts) -> Iterator[Import]:
    """The imports that bind names anywhere in a file, those of all names (`*`) among them."""
    for scope in facts.scopes:
        for values in scope.bindings.values():
            yield from (value for value in values if isinstance(value, Import))
        yield from scope.star_imports


def absolute_name(imported: Import, package: str) -> str:
    """The absolute dotted name of the module that an import statement names, in a file of this package."""
    if not imported.level:
        return imported.module
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - (imported.level - 1)] if imported.level > 1 else parts
    return ".".join([*kept, imported.module] if imported.module else kept)


def prefixes(name: str) -> Iterator[str]:
    """A dotted name and what begins it, the shortest first."""
    parts = name.split(".")
    # No path is as long as some names, whose prefixes would take memory that grows with the square of that.
    return (".".join(parts[:end]) for end in range(1, min(len(parts), _MOST_PARTS) + 1))
