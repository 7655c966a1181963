"""__NAME__: labelled events in series of numbers: what happens, from which step to which.

Task: event detection. Data: generated series, or JSON lines of your own with `series`
([steps][numbers]) and `events` ([[label, first step, last step], ...]). Result: for every step the
event that it is in, and how sure that is.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("__NAME__", DATA, MODEL, SERVING, SCORING)
