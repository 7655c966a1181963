"""TF Serving's gRPC services on its own stubs, around TensorFlow's C++ loader. Imports nothing of
ours.

python tf_serving.py MODELS PORT [FAILURES]: serves MODELS/<name>/<version>, and answers the first
FAILURES predictions with UNAVAILABLE. Says "ready" when it listens.
"""

import functools
import pathlib
import sys
import threading
from concurrent import futures

import grpc
import tensorflow as tf
import tensorflow_text  # noqa: F401
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

LABELS = ("stable", "canary")


def load(path):
    """A session with the model, and its signatures."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    return session, meta.signature_def


class Models(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, folder, failures):
        self.loaded, self.failures = {}, failures
        for path in sorted(pathlib.Path(folder).glob("*/[0-9]*")):
            self.loaded.setdefault(path.parent.name, {})[int(path.name)] = functools.cache(
                functools.partial(load, str(path))
            )

    def find(self, spec, context):
        versions = self.loaded.get(spec.name)
        if not versions:
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({spec.name})"
            )
        if spec.version_label and spec.version_label not in LABELS:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Unrecognized servable version label: {spec.version_label}",
            )
        number = spec.version.value if spec.HasField("version") else max(versions)
        if number not in versions:
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"Servable not found for request: Specific({spec.name}, {number})",
            )
        return number, *versions[number]()

    def Predict(self, request, context):
        if self.failures:
            self.failures -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        _, session, definitions = self.find(request.model_spec, context)
        name = request.model_spec.signature_name or "serving_default"
        if name not in definitions:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f'Serving signature key "{name}" not found.'
            )
        signature = definitions[name]
        fed = {}
        for key, info in signature.inputs.items():
            if key in request.inputs:
                fed[info.name] = tf.make_ndarray(request.inputs[key])
            elif key in signature.defaults:
                fed[info.name] = tf.make_ndarray(signature.defaults[key])
            else:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"missing {key}")
        try:
            found = session.run({key: info.name for key, info in signature.outputs.items()}, fed)
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:200])
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, value in found.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelMetadata(self, request, context):
        _, _, definitions = self.find(request.model_spec, context)
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in definitions.items():
            found.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        response.metadata["signature_def"].Pack(found)
        return response

    def GetModelStatus(self, request, context):
        self.find(request.model_spec, context)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number in self.loaded[request.model_spec.name]:
            response.model_version_status.add(
                version=number, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE
            )
        return response


def main(folder, port, failures="0"):
    models = Models(folder, int(failures))
    server = grpc.server(futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(models, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
