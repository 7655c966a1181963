"""Machine translation: a sentence to its translation, with the alignment that made it.

Task: sequence to sequence. Data: pairs of sentences (offline sample, Multi30k, your own line
files or tables, tfds's sets of translations). Result: sentences with scores, n-best lists,
attention of every target subword over the source.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("translation", DATA, MODEL, SERVING, SCORING)
