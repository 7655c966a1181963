"""Translation: how fast sentences are decoded, and what attention is worth.

    python benchmarks/translation.py speed --run RUN --model SAVED_MODEL [--data SOURCE]
    python benchmarks/translation.py attention [--to FOLDER]

speed: sentences a second with a beam of 5 on the validation split, at batch 1 and 32: the
SavedModel, whose search is in the graph, against the same model looped from Python over its
`step`, with the same search in numpy, where the step is called as it is (eager) or compiled
(tf.function, its best case). The texts are compared. Minimum of --rounds.
attention: trains the sample with attention and without (uniform weights), and gives BLEU on
the whole test split and on its longest quarter.
"""

import argparse
import functools
import json
import pathlib
import tempfile
import time

import numpy as np
import sacrebleu
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the text operations

from rnnsuite import catalog
from rnnsuite.data.records import collect
from rnnsuite.device.unigram import END, PADDING, START
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train.train import train

APP = catalog.find("translation")
_compiled = functools.partial(tf.function, reduce_retracing=True)


class Looped:
    """The search of `rnnsuite.decoding.beam_search` in numpy, around a model's step."""

    def __init__(self, run: Run, compiled: bool):
        self.decode, fitted, model = run.config().decode, run.fitted(), run.model()
        self.source, self.target = fitted.subwords()
        self.decoder, wrap = (
            model.get_layer("decoder"),
            _compiled if compiled else (lambda function: function),
        )
        self.encode = wrap(functools.partial(self._encode, model.get_layer("encoder")))
        self.step = wrap(self._step)

    def _encode(self, encoder, ids):
        encoded = encoder(ids, training=False)
        memory, keys = encoded["memory"], self.decoder.attending.attention.keys(encoded["memory"])
        rows = [memory, keys, encoded["mask"], self.decoder.begin(memory, encoded["summary"])]
        return tf.nest.map_structure(lambda v: tf.repeat(v, self.decode.beam, axis=0), rows)

    def _step(self, tokens, parents, memory, keys, mask, state):
        state = tf.nest.map_structure(lambda v: tf.gather(v, parents), state)
        output, _, state = self.decoder.attending.step(
            self.decoder.embedding(tokens), state, memory, keys, mask
        )
        return tf.nn.log_softmax(self.decoder.logits(output)), state

    def __call__(self, texts: list[bytes]) -> list[str]:
        ids = self.source(tf.constant(texts)).to_tensor()
        memory, keys, mask, state = self.encode(ids)
        rows, beam = len(texts), self.decode.beam
        first = np.arange(rows)[:, None] * beam
        tokens, parents = (
            np.full(rows * beam, START, np.int32),
            np.arange(rows * beam, dtype=np.int32),
        )
        sums = np.where(np.arange(beam) == 0, 0.0, -np.inf) + np.zeros([rows, 1])
        written = np.zeros([rows, beam, 0], np.int32)
        ended: list[list] = [[] for _ in range(rows)]
        for place in range(self.decode.max_length):
            logs, state = self.step(
                tf.constant(tokens), tf.constant(parents), memory, keys, mask, state
            )
            scores = sums[:, :, None] + logs.numpy().reshape(rows, beam, -1)
            size, flat = scores.shape[-1], scores.reshape(rows, -1)
            best = np.argpartition(-flat, 2 * beam, axis=1)[:, : 2 * beam]
            order = np.argsort(-np.take_along_axis(flat, best, 1), axis=1, kind="stable")
            best = np.take_along_axis(best, order, 1)
            penalty = ((5 + place + 1) / 6) ** self.decode.length_penalty
            chosen = np.zeros([rows, beam], np.int64)
            for row in range(rows):
                for number in best[row, :beam]:
                    if number % size == END and len(ended[row]) < beam:
                        ended[row].append(
                            (flat[row, number] / penalty, written[row, number // size])
                        )
                chosen[row] = [number for number in best[row] if number % size != END][:beam]
            sums = np.take_along_axis(flat, chosen, 1)
            written = np.take_along_axis(written, (chosen // size)[..., None], 1)
            written = np.concatenate([written, (chosen % size)[..., None]], axis=2).astype(np.int32)
            tokens = (chosen % size).astype(np.int32).ravel()
            parents = (first + chosen // size).astype(np.int32).ravel()
            if all(len(each) >= beam for each in ended):
                break
        found = [
            max(each, key=lambda pair: pair[0])[1] if each else written[row, 0]
            for row, each in enumerate(ended)
        ]
        padded = np.full([rows, max(1, max(map(len, found)))], PADDING, np.int32)
        for row, each in enumerate(found):
            padded[row, : len(each)] = each
        return [text.decode() for text in self.target.text(tf.constant(padded)).numpy()]


def timed(answer, texts, batch, rounds):
    """Sentences a second, the fastest of several rounds, and the texts. Neighbours are of like
    length for everyone.
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    parts = [order[start : start + batch] for start in range(0, len(order), batch)]
    answer([texts[i] for i in parts[-1]])
    best, found = float("inf"), {}
    for _ in range(rounds):
        started = time.perf_counter()
        for part in parts:
            found.update(zip(part, answer([texts[i] for i in part]), strict=True))
        best = min(best, time.perf_counter() - started)
    return len(texts) / best, [found[i] for i in range(len(texts))]


def speed(options) -> dict:
    run = Run(APP, options.run)
    records = collect(APP.data.load(data_section(APP, options.run, options.data), "validation"))
    texts = [record["text"] for record in records]
    served = tf.saved_model.load(str(options.model)).signatures["serving_default"]
    few = texts[:: max(len(texts) // options.few, 1)]
    answers = {
        "SavedModel": lambda part: [
            text.decode() for text in served(text=tf.constant(part))["text"].numpy()
        ],
        "Python over a compiled step": Looped(run, compiled=True),
        "Python over an eager step": Looped(run, compiled=False),
    }
    rows = []
    for batch in (1, 32):
        reference, ours = None, None
        for name, answer in answers.items():
            given = few if "eager" in name else texts
            rate, found = timed(answer, given, batch, options.rounds)
            reference, ours = reference or dict(zip(texts, found, strict=True)), ours or rate
            same = float(
                np.mean([reference[text] == each for text, each in zip(given, found, strict=True)])
            )
            rows.append(
                {
                    "form": name,
                    "batch": batch,
                    "sentences_a_second": rate,
                    "ours_over_it": ours / rate,
                    "same": same,
                }
            )
            print(f"| {name} | {batch} | {rate:.1f} | {ours / rate:.2f} | {same:.3f} |", flush=True)
    return {"speed": rows}


def attention(options) -> dict:
    found = {}
    for kind in ("additive", "uniform"):
        folder = options.to / kind
        train(APP, configuration.load(APP, "sample", [f"model.decoder.attention={kind}"]), folder)
        records = collect(APP.data.load(data_section(APP, folder, None), "test"))
        given = [text.decode() for text in open_model(APP, folder).answer(records)["text"]]
        truth = [record["translation"].decode() for record in records]
        longest = np.argsort([-len(record["text"].split()) for record in records], kind="stable")[
            : len(records) // 4
        ]
        found[kind] = {
            "bleu": sacrebleu.corpus_bleu(given, [truth]).score,
            "longest_quarter": sacrebleu.corpus_bleu(
                [given[i] for i in longest], [[truth[i] for i in longest]]
            ).score,
        }
        print(
            f"| {kind} | {found[kind]['bleu']:.2f} | {found[kind]['longest_quarter']:.2f} |",
            flush=True,
        )
    return {"attention": found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["speed", "attention"])
    parser.add_argument("--run", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--few", type=int, default=100, help="sentences for the eager loop")
    parser.add_argument("--to", type=pathlib.Path, default=None)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        options.to = options.to or pathlib.Path(place)
        result = speed(options) if options.what == "speed" else attention(options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
