"""Forecasting on a device: values and their times to those that follow, with ai-edge-litert and
numpy alone.

    python forecasting.py FOLDER REQUEST.json [--file dynamic.tflite]

REQUEST.json holds `values`, `times` in seconds since 1970 and, of a model that has some,
`covariates`. FOLDER is what `rnnsuite export` wrote: saved_models/forecasting/lite/1.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from values, times and covariates to times, mean and quantiles."""
    sys.path.insert(0, str(folder))
    from runner import LiteModel
    from window import Window

    folder = pathlib.Path(folder)
    window = Window(json.loads((folder / "window.json").read_text(encoding="utf-8")))
    model = LiteModel(str(folder / file))

    def answer(values, times, covariates=None):
        outputs = model(**window(values, times, covariates))
        return window.times(times), outputs["mean"][0], outputs["quantiles"][0]

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("request")
    parser.add_argument("--file", default="dynamic.tflite")
    options = parser.parse_args()
    request = json.loads(pathlib.Path(options.request).read_text(encoding="utf-8"))
    values = [np.nan if value is None else value for value in request.pop("values")]
    answers = load(options.folder, options.file)(values, **request)
    for time, mean, quantiles in zip(*answers, strict=True):
        print(time, f"{mean:.6g}", *(f"{value:.6g}" for value in quantiles))


if __name__ == "__main__":
    main()
