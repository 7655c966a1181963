"""`python -m apps.object_recognition VERB ...` is `rnnsuite VERB object_recognition ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("object_recognition")
