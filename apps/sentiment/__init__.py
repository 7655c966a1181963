"""Sentiment analysis: a text to one of any number of classes, with the tokens that decided.

Task: sequence classification. Data: film reviews (offline sample, IMDB, SST-2, your own
folders or tables). Result: label, probabilities and an attention weight for every token.
"""

from apps.sentiment import data, model, score, serve
from rnnsuite.app import App

APP = App(
    name="sentiment",
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
    headline="accuracy",
)
