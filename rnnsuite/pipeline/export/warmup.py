"""What TF Serving reads beside a SavedModel."""

import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2 as _predict_pb2
from tensorflow_serving.apis import prediction_log_pb2 as _prediction_log_pb2

from rnnsuite.app import Signature

predict_pb2: Any = _predict_pb2  # whose stubs lack what is made at import
prediction_log_pb2: Any = _prediction_log_pb2


def write_warmup(signatures: Mapping[str, Signature], name: str, folder: pathlib.Path) -> None:
    """Writes assets.extra/tf_serving_warmup_requests: one request a signature."""
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
        for key, signature in signatures.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = key
            for field, value in signature.example.items():
                request.inputs[field].CopyFrom(
                    tf.make_tensor_proto(value, signature.inputs[field].dtype)
                )
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
