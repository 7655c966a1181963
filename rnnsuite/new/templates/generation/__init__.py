"""__NAME__: a text to another text, written one subword after the other.

Task: sequence to sequence. Data: generated dates, or a table of your own (CSV, JSON lines and
others) with the columns `text` and `target`. Result: the text and its score; n-best lists and drawn
ones; the attention of every subword.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("__NAME__", DATA, MODEL, SERVING, SCORING)
