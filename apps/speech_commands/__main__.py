"""`python -m apps.speech_commands VERB ...` is `rnnsuite VERB speech_commands ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("speech_commands")
