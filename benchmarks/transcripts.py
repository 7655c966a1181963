"""The transcripts that a speech recogniser is trained on, a line each, for a language model.

    python benchmarks/transcripts.py CONFIG OUT.txt [--data FOLDER] [--split train]

They are written by the rule of the configuration (data.case, data.punctuation, data.digits), so
that a language model over their characters has the recogniser's alphabet.
"""

import argparse
import pathlib

from apps.speech_recognition import APP
from rnnsuite.core.text import as_text
from rnnsuite.pipeline import config as configuration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--data", help="the source, in place of the configuration's")
    parser.add_argument("--split", default="train")
    options = parser.parse_args()
    given = [f"data.source={options.data}"] if options.data else []
    config = configuration.load(APP, options.config, given)
    records = APP.data.load(config.data, options.split)
    texts = [
        as_text(text) for text in records.map(lambda record: record["text"]).as_numpy_iterator()
    ]
    options.output.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    print(f"{len(texts)} transcripts, {len(set(texts))} different: {options.output}")


if __name__ == "__main__":
    main()
