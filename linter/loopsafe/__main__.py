"""`python -m loopsafe`."""

from loopsafe.frontends.cli import main

main()
