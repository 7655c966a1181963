"""The processes that train one model together, and what they must agree on.

All of them run the same command on the same data. One is the chief, which alone writes the run
folder; what it reads there (vocabulary, checkpoint, decisions) it shares with the others, so that
they need no folder of its.
"""

import dataclasses
import functools
import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.settings import Train

Arrays = Sequence[np.ndarray]


class WorkerLost(Exception):
    """Another worker has gone or cannot be reached: this process must begin again and wait."""


@dataclasses.dataclass(frozen=True)
class Workers:
    """The processes that train one model together.

    Args:
        strategy: how a model is held and its batches are divided.
        count: processes.
        number: of this one.
    """

    strategy: tf.distribute.Strategy
    count: int = 1
    number: int = 0

    @property
    def chief(self) -> bool:
        return self.number == 0

    def broadcast(self, make: Callable[[], Any]) -> Any:
        """`make()` of the chief, JSON-able, in every process; so is a UserError that it raises."""
        return self.broadcast_arrays(lambda: (make(), []))[0]

    def broadcast_arrays(
        self, make: Callable[[], tuple[Any, Arrays]]
    ) -> tuple[Any, list[np.ndarray]]:
        """The same with arrays beside the JSON-able value."""
        if self.count == 1:
            value, arrays = make()
            return value, list(arrays)
        failure = None
        content = b""
        if self.chief:
            try:
                value, arrays = make()
                content = _packed({"value": value}, arrays)
            except UserError as error:
                failure = error
                content = _packed({"error": str(error)}, [])
        shared, arrays = _unpacked(self._sent(content))
        if failure:
            raise failure
        if "error" in shared:
            raise UserError(shared["error"])
        return shared["value"], arrays

    def _sent(self, content: bytes) -> bytes:
        """The chief's bytes, in every process."""
        size = int(_sum(self.strategy, np.array([len(content)], np.int64))[0])
        words = np.zeros(-(-size // 4), np.int32)
        if self.chief:
            words.view(np.uint8)[:size] = np.frombuffer(content, np.uint8)
        return _sum(self.strategy, words).tobytes()[:size]


def _sum(strategy: tf.distribute.Strategy, values: np.ndarray) -> np.ndarray:
    """What the first replica of all has: a sum in which everybody else's are zero."""
    summed = _summing(strategy, tf.as_dtype(values.dtype))(tf.constant(values))
    return strategy.experimental_local_results(summed)[0].numpy()


@functools.cache
def _summing(strategy: tf.distribute.Strategy, dtype: tf.DType) -> Callable:
    def reduced(values):
        replica = tf.distribute.get_replica_context()
        mine = tf.where(
            tf.equal(replica.replica_id_in_sync_group, 0), values, tf.zeros_like(values)
        )
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, mine)

    return tf.function(
        lambda values: strategy.run(reduced, (values,)),
        input_signature=[tf.TensorSpec([None], dtype)],
        autograph=False,
    )


def _packed(value: Any, arrays: Arrays) -> bytes:
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(value).encode("utf-8"), np.uint8)
    named: dict[str, Any] = {f"a{number:05d}": array for number, array in enumerate(arrays)}
    np.savez(stream, text=text, **named)
    return stream.getvalue()


def _unpacked(content: bytes) -> tuple[Any, list[np.ndarray]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        names = sorted(name for name in stored.files if name != "text")
        return json.loads(stored["text"].tobytes()), [stored[name] for name in names]


def start(settings: Train) -> Workers:
    """The workers that the settings ask for. Call it before TensorFlow computes anything.

    Args:
        settings: `strategy` is mirrored for every GPU of this machine (or every logical CPU device
            where there is none), multi_worker for the processes in the environment variable
            TF_CONFIG, which are waited for.

    Returns:
        The workers.

    Raises:
        UserError: for settings that do not go together.
        WorkerLost: where the processes do not come together.
    """
    if settings.strategy == "none":
        return Workers(tf.distribute.get_strategy())
    if settings.precision == "mixed_float16":
        raise UserError(
            "train.strategy: mixed_float16 does not go with it; take "
            "train.precision=mixed_bfloat16."
        )
    if settings.strategy == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Workers(tf.distribute.MirroredStrategy([device.name for device in devices]))
    count, number = cluster_position()
    try:
        return Workers(tf.distribute.MultiWorkerMirroredStrategy(), count, number)
    except tf.errors.OpError as error:  # another has not noticed yet that this one is new
        raise WorkerLost(error_summary(error)) from error


def cluster_position(environment: dict | None = None) -> tuple[int, int]:
    """How many workers TF_CONFIG names, and which this is; 0 is the chief. Raises UserError."""
    text = (os.environ if environment is None else environment).get("TF_CONFIG", "")
    advice = "train.strategy=multi_worker needs TF_CONFIG, such as "
    example = (
        '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
    )
    if not text.strip():
        raise UserError(f"{advice}{example}.")
    try:
        value = json.loads(text)
        cluster = value["cluster"]
        task = value["task"]
        names = [
            (kind, index)
            for kind in ("chief", "worker")
            for index in range(len(cluster.get(kind, ())))
        ]
        number = names.index((task["type"], int(task["index"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"TF_CONFIG is unusable ({error!r}). {advice}{example}.") from error
    return len(names), number


_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnknownError,
    tf.errors.FailedPreconditionError,
)


def is_loss(error: BaseException, workers: Workers) -> bool:
    """Whether an error of TensorFlow's says that the workers cannot reach each other any more."""
    return workers.count > 1 and isinstance(error, _LOST)


def error_summary(error: BaseException) -> str:
    """What has happened, without the places in the graph where it was noticed."""
    lines = [line.strip() for line in str(error).splitlines()]
    messages = [
        line
        for line in lines
        if line and not line.startswith(("File ", "[[", "Detected at", "Graph execution"))
    ]
    return (messages[0] if messages else type(error).__name__)[:200]
