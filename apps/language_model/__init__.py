"""Language model: what text comes next, how probable a text is, and text that goes on.

Task: generation. Data: running text (offline sample, Penn Treebank, WikiText, your own files).
Result: continuations, next words with their probabilities, log P of texts and of every token.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("language_model", DATA, MODEL, SERVING, SCORING)
