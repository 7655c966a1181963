"""`python -m apps.language_model VERB ...` is `rnnsuite VERB language_model ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("language_model")
