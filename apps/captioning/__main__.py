"""`python -m apps.captioning VERB ...` is `rnnsuite VERB captioning ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("captioning")
