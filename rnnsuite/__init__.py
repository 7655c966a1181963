"""rnnsuite: recurrent layers and finished recurrent applications on Keras 3 and TensorFlow."""

__version__ = "0.2.0"
