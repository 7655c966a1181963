"""Machine translation: a sentence to its translation, with the alignment that made it.

Task: sequence to sequence. Data: pairs of sentences (offline sample, Multi30k, your own line
files or tables, tfds's sets of translations). Result: sentences with scores, n-best lists,
attention of every target subword over the source.
"""

from apps.translation import data, model, score, serve
from rnnsuite import sentences
from rnnsuite.app import App, Judged

APP = App(
    name="translation",
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
    field="text",
    requests=serve.requests,
    answer=serve.Answer,
    signatures=serve.signatures,
    device_files=serve.device_files,
    on_device=serve.on_device,
    score=score.score,
    headline="bleu",
    decode=sentences.Decode,
    judged=Judged("greedy", {"bleu": "max", "chrf": "max", "bleu_tokenised": "max"}),
    pictures=score.pictures,
)
