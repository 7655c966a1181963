"""A microphone that hears a second of silence, and is then interrupted by Ctrl-C."""

import numpy as np


class PortAudioError(Exception):
    """What the library raises where there is no device."""


class InputStream:
    def __init__(self, rate, size, channels, dtype):
        self.left = rate
        assert (channels, dtype) == (1, "float32")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, size):
        if self.left < size:
            raise KeyboardInterrupt
        self.left -= size
        return np.zeros([size, 1], "float32"), False
