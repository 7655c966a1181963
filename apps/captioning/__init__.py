"""Image captioning: a picture to a sentence, with what was looked at for every word.

Task: sequence to sequence, with a picture as the source. Data: pictures with several captions
each (offline sample of rendered scenes, Karpathy's, COCO's and Flickr8k's files, tfds's sets).
Result: captions with scores, n-best lists, attention of every word over the picture.
"""

from rnnsuite.app import App

from .data import DATA
from .model import MODEL
from .score import SCORING
from .serve import SERVING

APP = App("captioning", DATA, MODEL, SERVING, SCORING)
