"""__NAME__: a series of numbers to one of several classes.

Task: sequence classification. Data: generated series, or JSON lines of your own with `series`
([steps][numbers]) and `label`. Result: label and probabilities.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("__NAME__", DATA, MODEL, SERVING, SCORING)
