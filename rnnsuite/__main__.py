"""`python -m rnnsuite` is `rnnsuite`."""

from rnnsuite.cli.main import main

main()
