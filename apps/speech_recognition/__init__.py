"""Speech recognition: what is said in a recording, as text.

Task: connectionist temporal classification over characters or subwords. Data: recordings with
transcripts (offline sample, AN4, LibriSpeech, LJSpeech, Common Voice, NeMo's manifests, a table of
your own). Result: the text, its score, and when each word begins and ends.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("speech_recognition", DATA, MODEL, SERVING, SCORING)
