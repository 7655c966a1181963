"""Speech-command recognition: a sound to one of a few words, as a whole clip or as a stream.

Task: sequence classification and event detection. Data: spoken words (offline sample,
Google Speech Commands, your own class folders). Result: label, probabilities and an
attention weight for every 20 ms; of a stream, words with start, end and confidence.
"""

from apps.speech_commands import data, model, score, serve
from rnnsuite.app import App

APP = App(
    name="speech_commands",
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
    field="audio",
    requests=serve.requests,
    answer=serve.Answer,
    signatures=serve.signatures,
    device_files=serve.device_files,
    on_device=serve.on_device,
    score=score.score,
    headline="accuracy",
    augment=data.augment,
    stream=serve.STREAM,
)
