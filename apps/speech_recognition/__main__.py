"""`python -m apps.speech_recognition VERB ...` is `rnnsuite VERB speech_recognition ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("speech_recognition")
