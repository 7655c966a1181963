"""TF Serving's gRPC interface, by the stubs of tensorflow-serving-api, which import TensorFlow."""

from collections.abc import Sequence

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from rnnsuite.client.transport import Arrays, Failed, Which

LARGEST = (
    2**31 - 1
)  # bytes of a message; gRPC's own bound of 4 MiB is less than a batch of pictures


class Grpc:
    """target: host:port. credentials: for TLS. metadata: sent with every request."""

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ):
        bounds = ("grpc.max_send_message_length", "grpc.max_receive_message_length")
        options = [*((bound, LARGEST) for bound in bounds), ("grpc.enable_retries", 0)]
        self.channel = (
            grpc.secure_channel(target, credentials, options)
            if credentials
            else grpc.insecure_channel(target, options)
        )
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.metadata = tuple(metadata)

    def predict(
        self, which: Which, signature: str, inputs: Arrays, timeout: float
    ) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest(model_spec=_spec(which, signature))
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        response = self._ask(self.predictions.Predict, request, timeout)
        try:
            return {name: tf.make_ndarray(value) for name, value in response.outputs.items()}
        except (TypeError, ValueError) as error:
            raise Failed("INTERNAL", f"an output that is no tensor: {error}") from error

    def states(self, which: Which, timeout: float) -> dict[int, str]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(which))
        response = self._ask(self.models.GetModelStatus, request, timeout)
        states = get_model_status_pb2.ModelVersionStatus.State.items()
        names = {number: name for name, number in states}
        return {
            status.version: names.get(status.state, "UNKNOWN")
            for status in response.model_version_status
        }

    def signatures(self, which: Which, timeout: float) -> dict[str, tuple[list[str], list[str]]]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=_spec(which))
        request.metadata_field.append("signature_def")
        response = self._ask(self.predictions.GetModelMetadata, request, timeout)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        try:
            response.metadata["signature_def"].Unpack(definitions)
        except (TypeError, ValueError, message.DecodeError) as error:
            raise Failed("INTERNAL", f"metadata that are none: {error}") from error
        return {
            name: (sorted(definition.inputs), sorted(definition.outputs))
            for name, definition in definitions.signature_def.items()
        }

    def close(self) -> None:
        self.channel.close()

    def _ask(self, method, request, timeout: float):
        try:
            return method(request, timeout=timeout, metadata=self.metadata)
        except grpc.RpcError as error:
            raise Failed(error.code().name, error.details() or "") from error


def _spec(which: Which, signature: str = "") -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=which.model, signature_name=signature)
    if which.version is not None:
        spec.version.value = which.version
    if which.label is not None:
        spec.version_label = which.label
    return spec
