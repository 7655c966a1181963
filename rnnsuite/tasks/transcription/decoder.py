"""From a network's classes at every step to texts, as a configuration asks."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.decoding.ctc import ctc_align, ctc_greedy
from rnnsuite.decoding.fusion import Bonus, Fusion, LanguageModel, Lexicon, Together
from rnnsuite.decoding.prefix_beam import prefix_beam_search
from rnnsuite.decoding.step import Decoded
from rnnsuite.inputs.subword import END
from rnnsuite.pipeline.export.stored_weights import round_weights
from rnnsuite.pipeline.start import open_origin
from rnnsuite.tasks import language
from rnnsuite.tasks.sections import TranscribeConfig
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.losses import framed

StoredAs = Literal["float32", "float16", "int8"]
"""How an export stores weights."""
CONTROLS = 4
"""Reserved tokens of a vocabulary: padding, unknown, start and end."""


@dataclasses.dataclass(frozen=True)
class Transcription:
    """Decodes; everything is a graph's operations.

    Args:
        alphabet: the symbols.
        beam: live texts of the search.
        fusion: what is known of texts beside the sound.
    """

    alphabet: Alphabet
    beam: int
    fusion: Fusion

    def greedy(self, logits: tf.Tensor, steps: tf.Tensor) -> Decoded:
        """The most probable alignment of each row; see `rnnsuite.decoding.ctc.ctc_greedy`."""
        return ctc_greedy(self.alphabet.log_probabilities(logits), steps)

    def search(self, logits: tf.Tensor, steps: tf.Tensor) -> Decoded:
        """The `beam` best texts of each row."""
        logs = self.alphabet.log_probabilities(logits)
        return prefix_beam_search(logs, steps, self.beam, self.fusion)

    def with_words(
        self, logits: tf.Tensor, steps: tf.Tensor, ids: tf.Tensor, is_framed: bool = False
    ) -> dict[str, tf.RaggedTensor]:
        """The words of texts `[batch, symbols]`, each with its first and last step.

        is_framed: whether the head has learned the silence around them, see `losses.framed`.
        """
        if is_framed:
            around = ctc_align(tf.nn.log_softmax(logits), steps, framed(ids))
            return self.alphabet.words(ids, around.first[:, 1:-1], around.last[:, 1:-1])
        aligned = ctc_align(self.alphabet.log_probabilities(logits), steps, ids)
        return self.alphabet.words(ids, aligned.first, aligned.last)


def transcription(
    alphabet: Alphabet, settings: TranscribeConfig, stored_as: StoredAs = "float32"
) -> Transcription:
    """What decodes with these settings.

    Args:
        alphabet: the symbols.
        settings: gives the search, and where a language model and a list of words are.
        stored_as: how an export stores weights (`export.weights`), to which the language model's
            are rounded, as the network's own are.

    Returns:
        The decoder.

    Raises:
        UserError: for a language model over other symbols, or words that cannot be written.
    """
    parts: dict[str, Fusion] = {
        "words": Bonus(np.where(alphabet.begins, settings.word_bonus, 0.0).tolist())
    }
    if settings.language_model:
        start = open_origin(settings.language_model)
        tokens = _tokens(alphabet, start.fitted, settings.language_model)
        network = language.of_start(start, settings.language_model)
        if stored_as != "float32":
            round_weights(network.model, stored_as)
        model = LanguageModel(network.step, network.zeros, tokens, settings.language_weight)
        parts["language_model"] = model
    if settings.words:
        parts["lexicon"] = _lexicon(alphabet, settings.words)
    return Transcription(alphabet, settings.beam, Together(parts))


def _tokens(alphabet: Alphabet, fitted: Mapping[str, Any], path: str) -> list[int]:
    """The language model's token of every symbol.

    Raises:
        UserError: where it has none for one, or is no language model.
    """
    if "unit" not in fitted:
        raise UserError(f"{path} is no forward language model.")
    unit = "subwords" if alphabet.is_subwords else "characters"
    if fitted["unit"] != unit:
        raise UserError(f"{path} is a language model over {fitted['unit']}, not {unit}.")
    pieces = language.pieces_of(fitted)
    numbers = {piece: number for number, piece in enumerate(pieces)}
    written = alphabet.pieces[CONTROLS:]
    missing = [piece for piece in written if piece not in numbers]
    if missing:
        raise UserError(
            f"{path} has another alphabet: it lacks {' '.join(map(repr, missing[:5]))}. Train one "
            "on the transcripts."
        )
    return [END, *[-1] * (CONTROLS - 1), *[numbers[piece] for piece in written]]


def _lexicon(alphabet: Alphabet, path: str) -> Lexicon:
    file = pathlib.Path(path).expanduser()
    if alphabet.separator is None:
        raise UserError("transcribe.words: a closed vocabulary needs characters (data.unit).")
    if not file.is_file():
        raise UserError(f"transcribe.words: there is no {file}.")
    numbers = {piece: number for number, piece in enumerate(alphabet.pieces)}
    words = file.read_text(encoding="utf-8", errors="replace").split()
    strange = [word for word in words if not set(word) <= numbers.keys()]
    if strange:
        raise UserError(f"{file}: {strange[0]!r} cannot be written with the model's characters.")
    try:
        spelled = [[numbers[letter] for letter in word] for word in words]
        return Lexicon(spelled, alphabet.separator, len(alphabet.pieces))
    except ValueError as error:
        raise UserError(f"{file}: {error}.") from error
