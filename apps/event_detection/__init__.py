"""Event detection: a recording of one or many channels in; what happens when, with confidence, out.

Task: detection and naming of labelled intervals or points. Data: sound files, arrays, tables with a
table of events (offline sample, MIT-BIH, HAPT, your own). Result: events, and classes step by step.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("event_detection", DATA, MODEL, SERVING, SCORING)
