"""`python -m apps.video_captioning VERB ...` is `rnnsuite VERB video_captioning ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("video_captioning")
