"""What a signature takes and gives. Nothing here, nor what reads requests, imports TensorFlow."""

import dataclasses
from collections.abc import Mapping

import numpy as np


@dataclasses.dataclass(frozen=True)
class Field:
    """An input or output.

    Args:
        tensor: its name in the graph.
        dtype: its type, as TensorFlow calls it.
        shape: None where any size will do.
    """

    tensor: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class Signature:
    """A way to ask a model. defaults: of inputs that may be left out."""

    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]
    defaults: Mapping[str, np.ndarray]

    @property
    def together(self) -> bool:
        """Whether rows of several requests may share a batch without any change to their answers.

        Returns:
            True where every input and output has the batch first and every output is of one size:
            what is padded to the longest of its batch would come out longer.
        """
        fields = [*self.inputs.values(), *self.outputs.values()]
        return all(field.shape and field.shape[0] is None for field in fields) and not any(
            size is None for field in self.outputs.values() for size in field.shape[1:]
        )
