"""`python -m apps.translation VERB ...` is `rnnsuite VERB translation ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("translation")
