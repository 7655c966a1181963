"""Search for settings with keras-tuner."""
