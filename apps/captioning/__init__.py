"""Image captioning: a picture to a sentence, with what was looked at for every word.

Task: sequence to sequence, with a picture as the source. Data: pictures with several captions
each (offline sample of rendered scenes, Karpathy's, COCO's and Flickr8k's files, tfds's sets).
Result: captions with scores, n-best lists, attention of every word over the picture.
"""

from apps.captioning import data, model, score, serve
from rnnsuite import sentences
from rnnsuite.app import App, Judged

APP = App(
    name="captioning",
    data=data.Config,
    model=model.Config,
    fitted=data.Fitted,
    load=data.load,
    fit=data.fit,
    examples=data.examples,
    length=data.length,
    build=model.build,
    loss=model.loss,
    metrics=model.METRICS,
    field="image",
    requests=serve.requests,
    answer=serve.Answer,
    signatures=serve.signatures,
    device_files=serve.device_files,
    on_device=serve.on_device,
    score=score.score,
    headline="bleu_4",
    augment=data.augment,
    decode=sentences.Decode,
    judged=Judged("greedy", {"bleu_4": "max", "cider": "max", "exact_match": "max", "distinct_captions": "max"}),
    begin=model.begin,
    pictures=score.pictures,
)
