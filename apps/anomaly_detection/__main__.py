"""`python -m apps.anomaly_detection VERB ...` is `rnnsuite VERB anomaly_detection ...`."""

from rnnsuite.cli.main import main_of_app

main_of_app("anomaly_detection")
