"""`python -m apps.activity_recognition VERB ...` is `rnnsuite VERB activity_recognition ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("activity_recognition")
