"""Video captioning: the frames of a video to a sentence.

Task: sequence generation with temporal attention. Data: features of frames and captions (offline
sample, MSVD, MSR-VTT, your own). Result: a sentence, its score, and which frames each word saw.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("video_captioning", DATA, MODEL, SERVING, SCORING)
