"""Activity recognition: what one body does, seen as joints, inertial signals or features of frames.

Task: sequence classification. Data: skeletons, signals, features of videos (offline sample,
MSR-Action3D, HAPT, UCI-HAR, UCF101's features, your own). Result: label, probabilities and an
attention weight for every step; of a stream, an answer at every step so far.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("activity_recognition", DATA, MODEL, SERVING, SCORING)
