"""Captioning: what the sample's model has understood, and what a wider search is worth.

    python benchmarks/captioning.py scenes --run RUN
    python benchmarks/captioning.py search --run RUN [--split validation]

scenes: of a model of the offline sample, on the test split: how many captions are right to the
letter, on scenes with a pair of colour and shape that training never had and on the others; and
over 200 scenes, how often the attention of a shape's word has its peak on that shape.
search: BLEU-4 and CIDEr-D of greedy decoding and of beams.
"""

import argparse
import json
import pathlib

import numpy as np

from apps.captioning.sample import COLOURS, SIDE, Scene, render, scenes
from rnnsuite import catalog
from rnnsuite.data.records import collect
from rnnsuite.inputs import image
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.models import fitted_of, open_model

APP = catalog.find("captioning")


def peaks(made: Scene, words: list[str], maps: np.ndarray) -> list[bool]:
    """For every word that names a shape, whether the place with most attention overlaps the shape
    that is meant.

    The colour before the word says which is meant; words of shapes that the scene has not are left
    out.
    """
    found, place = [], SIDE / maps.shape[-1]
    for number, word in enumerate(words):
        colour = next((each for each in reversed(words[:number]) if each in COLOURS), None)
        meant = [thing for thing in made.things if thing.shape == word and thing.colour == colour]
        if meant:
            row, column = np.unravel_index(maps[number].argmax(), maps[number].shape)
            near = [
                max(abs(middle - thing_at) - place / 2, 0)
                for middle, thing_at in (
                    (place * (column + 0.5), meant[0].x),
                    (place * (row + 0.5), meant[0].y),
                )
            ]
            found.append(max(near) <= meant[0].radius)
    return found


def of_scenes(options) -> dict:
    pictures = {render(made).tobytes(): made for made in scenes("test")}
    records = collect(APP.data.load(data_section(APP, options.run, None), "test"))
    predictor = open_model(APP, options.run)
    answers = predictor.answer(records)["caption"]
    made = [pictures[image.decode(record["image"]).numpy().tobytes()] for record in records]
    right = np.array(
        [answer.decode() in each.captions for answer, each in zip(answers, made, strict=True)]
    )
    unseen = np.array([each.unseen for each in made])
    hits: list[bool] = []
    for record, scene in zip(records[: options.scenes], made, strict=False):
        one = predictor.answer([record], "attend")
        words = [word.decode().lstrip("▁") for word in one["words"][0]]
        hits += peaks(scene, words, one["maps"][0])
    return {
        "exact_match": float(right.mean()),
        "exact_match_unseen": float(right[unseen].mean()),
        "exact_match_seen": float(right[~unseen].mean()),
        "scenes": options.scenes,
        "shape_words": len(hits),
        "peak_on_the_shape": float(np.mean(hits)),
    }


def search(options) -> dict:
    records = collect(APP.data.load(data_section(APP, options.run, None), options.split))
    found = {}
    for beam in (0, 1, 3, 5, 10):
        overrides = [f"decode.beam={beam}"] if beam else []
        predictor = open_model(APP, options.run, overrides)
        answers = predictor.answer(records, "serving_default" if beam else "greedy")
        metrics = APP.scoring.score(records, answers, fitted_of(APP, options.run)).metrics
        found[f"beam {beam}" if beam else "greedy"] = {
            name: round(metrics[name], 4) for name in ("bleu_4", "cider")
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["scenes", "search"])
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--scenes", type=int, default=200)
    options = parser.parse_args()
    print(json.dumps({"scenes": of_scenes, "search": search}[options.what](options), indent=2))


if __name__ == "__main__":
    main()
