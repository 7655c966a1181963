"""Answers requests with a SavedModel through TensorFlow's C++ loader, which is what TF Serving
runs.

Run as a program, in a process that imports only TensorFlow and TF-Text, nothing of ours:
python loader.py SAVED_MODEL REQUESTS.json ANSWERS.json. Both files hold a list of batches,
{name: values}; strings are {"b64": ...}, as in TF Serving's REST interface.
"""

import base64
import json
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the text operations


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def encode(value):
    if isinstance(value, list):
        return [encode(item) for item in value]
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def main(folder: str, requests: str, answers: str, name: str = "serving_default") -> None:
    with open(requests, encoding="utf-8") as stream:
        batches = json.load(stream)
    results = []
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder)
        signature = meta.signature_def[name]
        fetched = {key: info.name for key, info in signature.outputs.items()}
        for batch in batches:
            fed = {signature.inputs[key].name: decode(values) for key, values in batch.items()}
            outputs = session.run(fetched, fed)
            results.append({key: encode(value.tolist()) for key, value in outputs.items()})
    with open(answers, "w", encoding="utf-8") as stream:
        json.dump(results, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
