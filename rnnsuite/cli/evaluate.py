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
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of forecasts: the last N of each series. Short for --set data.windows=N.",
)
@click.option(
    "--step",
    type=click.IntRange(min=1),
    metavar="H",
    help="Of forecasts: H steps from one to the next. Short for --set data.step=H.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Draw N sets of the records for a 95 % interval of every metric; 1000 is usual.",
)
@click.option(
    "--card",
    is_flag=True,
    help="Keep the score, with its interval and floor, in the exported model's cards.",
)
@SET
@JSON
def evaluate(
    app: str,
    model: pathlib.Path | None,
    data: str | None,
    split: str | None,
    windows: int | None,
    step: int | None,
    bootstrap: int,
    card: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Score a model of APP on one split.

    Example: rnnsuite evaluate sentiment --model runs/sentiment/reviews-1a2b3c4d
    """
    from rnnsuite.pipeline.config import Schema
    from rnnsuite.pipeline.releases import folder_of

    short = {"data.windows": windows, "data.step": step}
    overrides = (*overrides, *(f"{key}={value}" for key, value in short.items() if value))
    Schema.of(app).override({}, overrides)
    model = model or folder_of(app)
    application = find_app(app)
    from rnnsuite.pipeline.export.card import add_score, places
    from rnnsuite.pipeline.inference import evaluate as evaluation
    from rnnsuite.pipeline.inference.models import find_model

    if card:
        model = find_model(application, model)
        places(model)  # noticed before the work, not behind it
    result = evaluation.evaluate(application, model, data, split, overrides, bootstrap)
    values = evaluation.summary(application, model, result)
    if card:
        add_score(model, values)
    print_values(values, as_json)
