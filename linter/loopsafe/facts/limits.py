"""What a text may cost. Parsing takes memory by the piece, not by the byte, and for f-strings it takes time squared."""

from __future__ import annotations

import re

from loopsafe.facts.schema import SyntaxProblem

# Each takes up to a kilobyte while a file is parsed.
_MOST_TOKENS = 200_000
# Python's parser copies, or searches, what follows each brace in an f-string; real files stay far below this.
_MOST_COPIED = 10**10

# It puts the name of a module together part by part, which takes time squared.
_LIKE_A_LONG_IMPORT = (re.compile(r"import[\w. \t\f\\\r\n]{1000}"), re.compile(r"from[\w. \t\f\\\r\n]{1000}"))
_LONG_IMPORT = re.compile(
    r"(?:\A|[;:]|(?<!\\)(?<!\\\r)[\r\n])[ \t\f]*(?:import|from)\b(?:[\w. \t\f]|\\\r?\n|\\\r){1000}"
)
_F_STRING = re.compile(r"""(?<!\w)(?:f|fr|rf)["']""", re.IGNORECASE)
_TOKEN = re.compile(r"\w+|[^\w\s]")
# Strings and comments count once. What is not closed ends where the row or the text does: nothing is scanned twice.
_TOKEN_OR_STRING = re.compile(
    r"""
    \"{3} [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* (?: \"{3} | \Z )
    | '{3} [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* (?: '{3} | \Z )
    | " [^"\\\n]* (?: \\. [^"\\\n]* )* "?
    | ' [^'\\\n]* (?: \\. [^'\\\n]* )* '?
    | \# [^\n]*
    | \w+ | [^\w\s]
    """,
    re.VERBOSE | re.DOTALL,
)


def check_cost(source: str) -> None:
    """Look whether a text can be parsed at a price that its size explains.

    Raises:
        SyntaxProblem: it cannot.
    """
    # First what is found fast.
    if any(like.search(source) for like in _LIKE_A_LONG_IMPORT) and _LONG_IMPORT.search(source):
        raise SyntaxProblem("cannot parse: an import of more than 1,000 characters")
    # Few texts are long enough to be worth a look.
    if len(source) ** 2 <= _MOST_COPIED:
        return
    has_f_string = _F_STRING.search(source) is not None
    if has_f_string and source.count("{") * len(source) > _MOST_COPIED:
        raise SyntaxProblem("cannot parse: too many braces for a file of this size with f-strings")
    # Since Python 3.12 quotes nest in f-strings, so that what is in a string and what is not takes a parser to tell.
    token = _TOKEN if has_f_string else _TOKEN_OR_STRING
    if len(source) > _MOST_TOKENS and sum(1 for _ in token.finditer(source)) > _MOST_TOKENS:
        raise SyntaxProblem(f"cannot parse: more than {_MOST_TOKENS:,} tokens")
