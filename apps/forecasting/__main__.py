"""`python -m apps.forecasting VERB ...` is `rnnsuite VERB forecasting ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("forecasting")
