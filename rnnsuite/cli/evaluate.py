"""rnnsuite evaluate"""

import pathlib

import click

from rnnsuite.cli.options import JSON, MODEL, SET, find_app, with_app_name
from rnnsuite.cli.output import print_values


@click.command()
@with_app_name
@MODEL
@click.option(
    "--data",
    metavar="SOURCE",
    help="sample, tfds:NAME or a path.  [default: what it was trained with]",
)
@click.option(
    "--split",
    help="train, validation or test.  [default: test; what training held out, where there is none]",
)
@SET
@JSON
def evaluate(
    app: str,
    model: pathlib.Path,
    data: str | None,
    split: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Score a model of APP on one split.

    Example: rnnsuite evaluate sentiment --model runs/sentiment/reviews-1a2b3c4d
    """
    from rnnsuite.pipeline.config import Schema

    Schema.of(app).override({}, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.inference import evaluate as evaluation

    result = evaluation.evaluate(application, model, data, split, overrides)
    print_values(evaluation.summary(application, model, result), as_json)
