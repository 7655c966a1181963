"""`python -m apps.event_detection VERB ...` is `rnnsuite VERB event_detection ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("event_detection")
