"""Time-series forecasting: past values in; mean and quantiles of those to come out.

Task: forecasting, of one series or thousands by one model. Data: tables in long or wide form, with
covariates (offline sample, ETT, M4, your own). Result: mean, quantiles and their times.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("forecasting", DATA, MODEL, SERVING, SCORING)
