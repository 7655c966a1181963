"""Asks models on TF Serving, or on `rnnsuite serve`, by gRPC or REST.

    from rnnsuite.client import Client

    with Client("http://localhost:8501") as client:
        client.predict("sentiment", {"text": ["What a film."]})

and, with an application at hand, which knows how a request is made and what an answer is:

    from apps.sentiment import APP

        client.answers(APP, ["What a film."])[0].label

Needs the extra `client`. Imports no TensorFlow for REST.
"""

from rnnsuite.client.client import Client
from rnnsuite.client.errors import (
    ClientError,
    ModelMissing,
    RequestRefused,
    ServerFailed,
    ServerUnavailable,
    SignatureMissing,
    TimedOut,
    VersionMissing,
)
from rnnsuite.client.transport import Which

__all__ = [
    "Client",
    "ClientError",
    "ModelMissing",
    "RequestRefused",
    "ServerFailed",
    "ServerUnavailable",
    "SignatureMissing",
    "TimedOut",
    "VersionMissing",
    "Which",
]
