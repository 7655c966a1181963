"""__NAME__: numbers over time to those that follow, with the range that most of them fall into.

Task: forecasting. Data: generated series, or tables of your own (CSV and others) with a row for
each time, the oldest first, and a column for each series. Result: the median and the 10 and 90 %
quantiles of the next steps.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("__NAME__", DATA, MODEL, SERVING, SCORING)
