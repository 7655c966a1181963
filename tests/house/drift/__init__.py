"""Where a series drifts to: a throw-away application that proves what a new one needs."""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("drift", DATA, MODEL, SERVING, SCORING)
