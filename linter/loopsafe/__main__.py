"""The start of the command, as `loopsafe` and as `python -m loopsafe`.

Nothing is imported here before it is sure where from and what Ctrl-C does: even the standard library could be found in
the working directory, which holds the code that is to be checked, not trusted.
"""

import sys

# `python -m` puts the working directory first, unless it was told not to.
if __name__ == "__main__" and not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import gc
import os
import signal

INTERRUPTED = 130

# What is imported is never garbage: with Python's own number, looking for it takes a twentieth of a short run.
_NEW_OBJECTS = 100_000


def main() -> None:
    """Run the command line of this process and exit."""
    gc.set_threshold(_NEW_OBJECTS)
    # Not where it is ignored, as in what a shell has started in the background.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)

    # Imports take a while, and have nothing to clean up.
    from loopsafe.frontends import cli

    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _interrupt)
    cli.main()


def _interrupt(number: int, frame: object) -> None:
    """Once, so that what is in the way of the first Ctrl-C is never met by a second."""
    signal.signal(signal.SIGINT, _leave)
    raise KeyboardInterrupt


def _leave(number: int, frame: object) -> None:
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
