"""Keras has several backends; the layers here are operations of TensorFlow."""

import os
import sys

from rnnsuite.core.errors import UserError

NAME = "tensorflow"


def choose_backend() -> None:
    """Makes Keras use TensorFlow, where it has not been imported yet."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = NAME


def check_backend() -> None:
    """Raises UserError where Keras uses another backend than TensorFlow."""
    try:
        import keras

        backend = keras.config.backend()
    except ImportError as error:
        # Keras imports its backend, which may not be installed.
        backend = error.name or "another backend"
        if backend == NAME:
            raise
    if backend != NAME:
        raise UserError(
            f"rnnsuite needs Keras on TensorFlow, and here Keras uses {backend} (KERAS_BACKEND, or "
            f"~/.keras/keras.json). Set KERAS_BACKEND=tensorflow before Keras is imported."
        ) from None
