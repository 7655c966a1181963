"""Our models for Beam's RunInference.

Beam's own handler of TensorFlow's models loads them through Keras, which is no longer possible from
Keras 3 on (apache/beam issue 30616); this one asks the signatures of any of our forms.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from rnnsuite import catalog
from rnnsuite.core.errors import Refused
from rnnsuite.core.fields import Record
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.predictor import DEFAULT, Predictor
from rnnsuite.pipeline.inference.rows import readable


class SavedModelHandler(ModelHandler[Record, PredictionResult, Predictor]):
    """Records to their answers: `RunInference(SavedModelHandler("sentiment", PATH))`.

    An element is a record, a mapping with a value for each field of a request; its inference is the
    answer, a mapping of plain values, or `{"error": ...}` for a record that the model refuses.
    Records of one shape are asked together, sorted by length.

    Args:
        app: the application's name.
        model: its SavedModel, run, or .tflite file, at a path that every worker can read.
        signature: the one to ask.
        options: values for its optional inputs.
        batch: records of a batch at least and at most.
        settings: those of Beam's `ModelHandler`, such as `batch_length_fn`, by which streams are
            batched in buckets of like lengths.
    """

    def __init__(
        self,
        app: str,
        model: str,
        signature: str = DEFAULT,
        options: Mapping[str, Any] | None = None,
        batch: tuple[int, int] = (64, 1024),
        **settings: Any,
    ):
        super().__init__(min_batch_size=batch[0], max_batch_size=batch[1], **settings)
        self.app = app
        self.model = model
        self.signature = signature
        self.options = dict(options or {})

    def load_model(self) -> Predictor:
        """Opens the model, once in a worker process."""
        return open_model(catalog.find(self.app), self.model)

    def run_inference(
        self,
        batch: Sequence[Record],
        model: Predictor,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """The answers to a batch of records.

        Args:
            batch: the records.
            model: what `load_model` gave.
            inference_args: values for optional inputs, beside those of the handler.

        Returns:
            A result for each record, in their order.
        """
        options = {**self.options, **(inference_args or {})}
        answers = self._answers(batch, model, options)
        pairs = zip(batch, answers, strict=True)
        return [PredictionResult(record, answer, self.model) for record, answer in pairs]

    def _answers(self, records: Sequence[Record], model: Predictor, options) -> list[dict]:
        try:
            answers = model.answer(list(records), self.signature, options)
        except Refused as error:
            if len(records) == 1:
                return [{"error": str(error)}]
            return [self._answers([record], model, options)[0] for record in records]
        return [readable(answers, row) for row in range(len(records))]

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """How Beam makes batches."""
        return self._batching_kwargs

    def get_metrics_namespace(self) -> str:
        """Of Beam's own metrics: times, counts and sizes of batches."""
        return "rnnsuite"
