"""Python that is broken, odd or refers to itself, and files that are too large."""

from __future__ import annotations

from tests.hostile.projects import VICTIM, text

_BROKEN = {
    "empty": "",
    "no end": "x = 1",
    "backslash at the end": "x = 1\\",
    "end of file of another system": "x = 1\n\x1a\n",
    "string without end": '"""' + "a" * 1_000,
    "tabs and spaces": "if 1:\n\tx = 1\n        y = 2\n",
    "Python 2": 'print "hello"\nexec "x"\n',
    "carriage returns": VICTIM.replace("\n", "\r"),
    "form feeds": VICTIM.replace("\n", "\n\f"),
    "separators": "x = 'a\u2028b\u2029c\x85d'\n" + VICTIM,
    "letters that are the same": "ﬁ = 1\nfi()\ndef 𝒇(): pass\nclass Ⅷ: pass\nª = 1\n",
    "lone surrogates": 'x = "\\ud800"\n{"\\ud800": f}["\\ud800"]()\n',
    "names out of place": "def f():\n    nonlocal x\n    global y\n    x = 1\nnonlocal z\nreturn\nyield\nawait x\n",
    "odd constants": 'd = {1e999: print, 1j: print, ...: print, b"x": print, -0.0: print}\nd[1e999]()\nd[-1j]()\n',
    "digits without end": "x = " + "9" * 100_000 + "\ny[0x" + "f" * 100_000 + "]()\n",
    "new syntax": (
        'match x:\n    case {"a": [*_, {**r}]}: r()\ndef f[T: (int, str), *Ts, **P](a: T): pass\n'
        'class A[T = int]: pass\nx = f"{f"{1}"}"\nx = t"{f}"\ntry: pass\nexcept* E, F: pass\n'
    ),
    "type comments": "x = []  # type: (((\ndef f(a):  # type: (int\n    pass\ny = []  # type: '\n",
    "remarks": "# loopsafe:\n# loopsafe: =\n# loopsafe: runs-on=\ndef f(): pass  # loopsafe: thread-entry, x=y=z, \n",
    "comments that silence nothing": "x = 1  # noqa:\nx = 1  # noqa: ,,,\n# flake8: noqa: E501\n#noqa\n",
}
_CIRCLES = {
    "class of itself": "class A(A): pass\nA().f()\n",
    "classes in a circle": "class A(B):\n    def f(self): self.g()\nclass B(C): pass\nclass C(A): pass\nA().f()\n",
    "metaclass of itself": "class M(type, metaclass=M): pass\nclass A(metaclass=A): pass\nA.x()\n",
    "no order of bases": "class A: pass\nclass B(A): pass\nclass C(A, B): pass\nC().x()\n",
    "types in a circle": "type X = X\ntype Y = list[Z]\ntype Z = dict[Y, Z]\ndef f(a: X, b: Y): a.x(); b[0].y()\n",
    "quoted types in a circle": "X = 'X'\nY = 'list[Z]'\nZ = 'Y'\ndef f(a: X, b: Y): a.x(); b[0].y()\n",
    "variables in a circle": "a = a\nb = c\nc = b\nb()\nclass Q:\n    def __init__(self): self.y = self\nQ().y.x()\n",
    "container of itself": "x = []\nx.append(x)\nx[0][0][0].put_nowait(1)\nd = {}\nd['d'] = d\nd['d']['d']()\n",
    "callback of itself": "import functools, threading\nf = functools.partial(f)\nthreading.Thread(target=f).start()\n",
    "decorator of itself": "@f\ndef f(g): return f(f)\n@f\n@f\ndef h(): h()\nh()\n",
    "property of itself": (
        "class A:\n    @property\n    def x(self): return self.x.x\n"
        "    def __getattr__(self, n): return getattr(self, n)\nA().x.x()\n"
    ),
    "protocols of itself": (
        "class A:\n    def __enter__(self): return self\n    def __iter__(self): return iter(self)\n"
        "    def __next__(self): return self\n    def __call__(self): return self()\n"
        "with A() as a:\n    for b in a:\n        for c in b: c()\n"
    ),
    "thread that starts itself": "import threading\ndef f(): threading.Thread(target=f).start()\nf()\n",
    "generator of itself": "def g():\n    x = yield from g()\n    x()\nfor x in g(): x()\n",
}
_LARGE = {
    "100 MB of comments": lambda: (b"# " + b"a" * 98 + b"\n") * 1_000_000,
    "100 MB of code": lambda: b"x = 1\n" * 16_000_000,
    "10 MB in a string": lambda: b"x = '" + b"a" * 10_000_000 + b"'\n",
    "10 MB in a list": lambda: b"x = [" + b"1," * 5_000_000 + b"]\n",
    "just too large": lambda: b"#" * 4_000_001,
    "just not too large": lambda: b"#" * 4_000_000,
    "4 MB in a string": lambda: b"x = '" + b"a" * 3_900_000 + b"'; f(g(1))\n",
    "4 MB of escapes": lambda: b"x = b'" + b"\\x89" * 970_000 + b"'\n",
    "4 MB of rows": lambda: b"\n" * 4_000_000,
    "4 MB of unclosed strings": lambda: b'"""\\"' * 800_000,
    "4 MB of words that silence": lambda: b"x = 1  # noqa: " + b"A1," * 1_300_000 + b"\n",
}

TEXTS = [
    *(text(name, content) for name, content in {**_BROKEN, **_CIRCLES}.items()),
    *(text(name, content, never=True) for name, content in _LARGE.items()),
]
