"""Object recognition: a picture to its class, read as sequences.

Task: image classification. Data: pictures with one class each (offline sample, UC Merced land use,
folders of classes, TFDS sets, tables). Result: label, probabilities, and where it looked.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("object_recognition", DATA, MODEL, SERVING, SCORING)
