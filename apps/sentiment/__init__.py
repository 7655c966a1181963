"""Sentiment analysis: a text to one of any number of classes, with the tokens that decided.

Task: sequence classification. Data: film reviews (offline sample, IMDB, SST-2, your own
folders or tables). Result: label, probabilities and an attention weight for every token.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("sentiment", DATA, MODEL, SERVING, SCORING)
