"""__NAME__: recordings to text, with the time of every word.

Task: transcription (connectionist temporal classification). Data: generated Morse code, or
recordings of your own: a table with the columns `file` and `transcript`, LibriSpeech's tree and
others. Result: the text, its score, and the words with their times.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("__NAME__", DATA, MODEL, SERVING, SCORING)
