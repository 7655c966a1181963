"""The decoder that a configuration describes."""

from rnnsuite.core.names import Cell
from rnnsuite.layers import TokenDecoder
from rnnsuite.tasks.sections import DecoderConfig


def build_decoder(
    config: DecoderConfig,
    vocabulary: int,
    embedding: int,
    cell: Cell,
    dropout: float = 0.0,
    weight_drop: float = 0.0,
) -> TokenDecoder:
    """The decoder that a configuration describes, called "decoder".

    Args:
        config: its section.
        vocabulary: tokens.
        embedding: width of the token embedding.
        cell: the recurrent layer.
        dropout: locked dropout between layers and before the last.
        weight_drop: share of the recurrent weights left out in a training step.

    Returns:
        A new layer.
    """
    return TokenDecoder(
        vocabulary,
        embedding,
        cell,
        config.units,
        config.depth,
        config.attention,
        config.attention_units,
        config.feeding,
        config.tied,
        dropout,
        weight_drop,
        config.scheduled_sampling,
        config.token_dropout,
        name="decoder",
    )
