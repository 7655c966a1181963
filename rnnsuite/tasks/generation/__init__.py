"""Generation: what every application that writes a sentence about a source shares."""

from rnnsuite.tasks.generation.decoder import build_decoder
from rnnsuite.tasks.generation.device import device_files, open_device
from rnnsuite.tasks.generation.show import show
from rnnsuite.tasks.generation.signatures import SentenceSignatures, Source

__all__ = ["SentenceSignatures", "Source", "build_decoder", "device_files", "open_device", "show"]
