"""loopsafe as its command line, where a second and third process take their share of however little there is to read.

A file of its own: what follows `python -c` starts after Python itself has looked for modules in the working directory.
"""

import sys

del sys.path[0]

from loopsafe.__main__ import main  # noqa: E402
from loopsafe.reading import helpers  # noqa: E402

helpers._WORTHWHILE = 500
helpers.cores = lambda: 3

if __name__ == "__main__":
    main()
