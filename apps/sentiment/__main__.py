"""`python -m apps.sentiment VERB ...` is `rnnsuite VERB sentiment ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("sentiment")
