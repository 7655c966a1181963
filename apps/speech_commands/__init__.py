"""Speech-command recognition: a sound to one of a few words, as a whole clip or as a stream.

Task: sequence classification and event detection. Data: spoken words (offline sample,
Google Speech Commands, your own class folders). Result: label, probabilities and an
attention weight for every 20 ms; of a stream, words with start, end and confidence.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("speech_commands", DATA, MODEL, SERVING, SCORING)
