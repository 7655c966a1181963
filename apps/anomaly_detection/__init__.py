"""Anomaly detection: a series of one or many channels in; when and how much it departs out.

Task: unsupervised detection, observation by observation. Data: tables, folders of them, NAB's and
Telemanom's layouts (offline sample, your own). Result: score, alarm, events, each channel's share.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("anomaly_detection", DATA, MODEL, SERVING, SCORING)
