"""Files that are not text, or not in the encoding that they name."""

from __future__ import annotations

import codecs
import random

from tests.hostile.projects import VICTIM, text

_NAMED = {
    "unknown": b"tlhingan",
    "no text, hex": b"hex",
    "no text, rot13": b"rot13",
    "no text, zlib": b"zlib",
    "no text, bz2": b"bz2_codec",
    "no text, base64": b"base64_codec",
    "no text, quoted": b"quopri",
    "never": b"undefined",
    "of one system": b"mbcs",
    "wide": b"utf-16",
    "stateful": b"utf-7",
    "escapes": b"unicode_escape",
    "raw escapes": b"raw_unicode_escape",
    "host names": b"idna",
    "part of a host name": b"punycode",
    "a path": b"../../outside",
    "a dotted module": b"os.path",
    "a module": b"antigravity",
    "a package": b"aliases",
    "the victim": b"victim",
    "with NUL": b"ut\0f",
    "long": b"u" * 100_000,
    "dots": b"." * 5_000,
    "hyphens": b"-" * 5_000,
    "no name": b"",
}
ENCODINGS = [
    *(text(f"coding comment: {name}", b"# coding: " + named + b"\nx = 1\n") for name, named in _NAMED.items()),
    *(
        text(f"coding comment and more: {name}", b"# coding: " + named + b"\n# \xe9\xff \\N\n")
        for name, named in _NAMED.items()
    ),
    text("host name, long", b"# coding: idna\n" + b"u" * 20_000 + b"\xc3\xa4"),
    text("part of a host name, long", b"# coding: punycode\n" + b"u" * 300_000),
    text("compressed a thousandfold", b"# coding: zlib\n" + codecs.encode(b"x" * 10_000_000, "zlib")),
    text("many coding comments", b"#" + b"coding: x " * 30_000 + b"\n"),
    text("mark", codecs.BOM_UTF8 + VICTIM.encode()),
    text("mark twice", codecs.BOM_UTF8 * 2 + VICTIM.encode()),
    text("mark against comment", codecs.BOM_UTF8 + b"# coding: latin-1\nx = 1\n"),
    *(
        text(f"as {encoding}", VICTIM.encode(encoding))
        for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-7", "cp037")
    ),
    text("Latin-1 without a comment", "x = 'é'\n".encode("latin-1")),
    text("surrogates", b"x = '\xed\xa0\x80'\n"),
    text("overlong", b"x = '\xc0\x80'\n"),
    text("shifted", b"# coding: iso2022_jp\nx = '\x1b$B$\"\x1b(B'\n"),
    text("NUL in a line", b"x = 1\n\0y = 2\n"),
    text("nothing but NUL", b"\0" * 5_000),
    text("noise", lambda: random.Random(12).randbytes(150_000)),
    text("a program of the machine", lambda: b"\x7fELF\x02\x01\x01" + random.Random(13).randbytes(100_000)),
    text("an archive", lambda: b"PK\x03\x04" + random.Random(14).randbytes(100_000)),
]
