"""One version of a model in memory, loaded and asked as TF Serving does it: by the C++ loader, in a
session.
"""

import functools
import pathlib
import threading
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the text operations
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow_serving.apis import prediction_log_pb2

from rnnsuite.server import memory
from rnnsuite.server.signatures import Field, Signature
from rnnsuite.server.status import HTTP, RequestError

_CALLERS_THREAD = -1
WARMUP = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
_INIT = "__saved_model_init_op"  # which is kept among the signatures and is none
_CODES = {getattr(tf.errors, code): code for code in HTTP if hasattr(tf.errors, code)}


class Servable:
    """A loaded version, whose `run` may be called from any number of threads.

    Args:
        name: the model.
        version: its number.
        folder: its SavedModel.
        threads: of TensorFlow in one run; 0 for its own choice.

    Raises:
        OSError, ValueError, KeyError: where the files are damaged.
    """

    def __init__(self, name: str, version: int, folder: pathlib.Path, threads: int = 0):
        self.name = name
        self.version = version
        self.folder = folder
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
        )
        self.session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            with self.session.graph.as_default():
                meta = tf.compat.v1.saved_model.loader.load(self.session, ["serve"], str(folder))
            memory.dismantle(self.session.graph)
            self.definitions = {
                name: definition for name, definition in meta.signature_def.items() if name != _INIT
            }
            self.signatures = {
                name: _signature(definition) for name, definition in self.definitions.items()
            }
            self.calls = {
                name: self._callable(definition) for name, definition in self.signatures.items()
            }
            self._warm()
        except BaseException as error:
            self.close()
            if isinstance(error, tf.errors.OpError | TypeError):
                raise OSError(
                    error.message if isinstance(error, tf.errors.OpError) else str(error)
                ) from error
            raise

    def _callable(self, signature: Signature):
        """A function of arrays that runs in the thread that calls it.

        Else the runs of all sessions would share one pool, and a long one would hold up the others.
        """
        options = config_pb2.CallableOptions(
            feed=[field.tensor for field in signature.inputs.values()],
            fetch=[field.tensor for field in signature.outputs.values()],
            run_options=config_pb2.RunOptions(inter_op_thread_pool=_CALLERS_THREAD),
        )
        # To make it optimises the graph, which takes seconds: not before it is asked for.
        make = functools.cache(lambda: self.session._make_callable_from_options(options))
        lock = threading.Lock()

        def run(*fed):
            with lock:
                function = make()
            return function(*fed)

        return run

    def _warm(self) -> None:
        path = self.folder / WARMUP
        for raw in tf.compat.v1.io.tf_record_iterator(str(path)) if path.is_file() else ():
            request = prediction_log_pb2.PredictionLog.FromString(raw).predict_log.request
            fed = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            self.run(request.model_spec.signature_name or "serving_default", fed)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answers.

        Args:
            signature: the one to ask.
            inputs: arrays that suit it.

        Returns:
            Arrays by output.

        Raises:
            RequestError: with TensorFlow's code, where the graph refuses.
        """
        chosen = self.signatures[signature]
        fed = [inputs[name] if name in inputs else chosen.defaults[name] for name in chosen.inputs]
        try:
            return dict(zip(chosen.outputs, self.calls[signature](*fed), strict=True))
        except tf.errors.OpError as error:
            raise RequestError(_CODES.get(error.error_code, "INTERNAL"), _said(error)) from error

    def close(self) -> None:
        self.session.close()


def _signature(definition: meta_graph_pb2.SignatureDef) -> Signature:
    inputs, outputs = (
        {name: _field(fields[name]) for name in sorted(fields)}
        for fields in (definition.inputs, definition.outputs)
    )
    return Signature(
        inputs,
        outputs,
        {name: tf.make_ndarray(value) for name, value in definition.defaults.items()},
    )


def _field(info: meta_graph_pb2.TensorInfo) -> Field:
    shape = tuple(tf.TensorShape(info.tensor_shape).as_list())
    return Field(info.name, tf.as_dtype(info.dtype).name, shape)


def _said(error: tf.errors.OpError) -> str:
    """The message without the graph's inside."""
    message = str(error.message).split("\n\t [[")[0].split("\n\nOriginal stack trace")[0]
    for noise in ("Graph execution error:", "assertion failed: "):
        message = message.replace(noise, "")
    return " ".join(message.split())[:500]


def versions_of(folder: pathlib.Path) -> Sequence[int]:
    """The version numbers under a model's folder, the oldest first."""
    return sorted(
        int(entry.name)
        for entry in folder.iterdir()
        if entry.name.isdecimal() and entry.name.isascii()
    )
