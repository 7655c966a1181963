"""Text that goes on, on a device: with ai-edge-litert and numpy alone, word by word.

    python language_model.py FOLDER TEXT ... [--file dynamic.tflite] [--temperature 0.8]

FOLDER is what `rnnsuite export` wrote: saved_models/language_model/lite/1.
"""

import argparse
import json
import pathlib
import sys


def load(folder, file="dynamic.tflite"):
    """A function from a text to the pieces of text that come after it."""
    sys.path.insert(0, str(folder))
    from language import LiteLanguage
    from tokenizer import Tokenizer

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "language.json").read_text(encoding="utf-8"))
    options = {"lower": settings["lower"], "keep": settings["keep"]}
    place = folder / settings["vocabulary"]
    kind = [] if settings["unit"] == "subwords" else [settings["unit"]]
    tokenizer = Tokenizer.load(place, *kind, settings["max_tokens"], **options)
    model = LiteLanguage(str(folder / file))
    drawn = {name: settings[name] for name in ("temperature", "top_k", "top_p", "seed")}

    def pieces(text, **changed):
        for token, _ in model.tokens(tokenizer(text), **{**drawn, **changed}):
            if token != settings["end"]:
                yield tokenizer.added(token)

    return pieces


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    parser.add_argument("--temperature", type=float, help="0 for the most probable word")
    parser.add_argument("--top-k", type=int, dest="top_k", help="draw from so many words")
    parser.add_argument("--top-p", type=float, dest="top_p", help="... that hold this probability")
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    pieces = load(arguments.folder, arguments.file)
    names = ("temperature", "top_k", "top_p", "seed")
    changed = {name: getattr(arguments, name) for name in names}
    for text in arguments.texts:
        print(text, end="", flush=True)
        for piece in pieces(text, **{k: v for k, v in changed.items() if v is not None}):
            print(piece, end="", flush=True)
        print()


if __name__ == "__main__":
    main()
