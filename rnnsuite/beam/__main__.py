"""python -m rnnsuite.beam"""

import json
import sys

import click

from rnnsuite.core.errors import UserError

UNKNOWN = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings=UNKNOWN)
@click.argument("app")
@click.option("--model", required=True, help="Its SavedModel, run, or .tflite file.")
@click.option(
    "--input",
    "patterns",
    required=True,
    multiple=True,
    help="Files of requests, with wildcards: .jsonl, .jsonl.gz, .parquet, .tfrecord. Repeatable.",
)
@click.option("--output", required=True, help="Folder for the answers.")
@click.option("--form", default="jsonl", show_default=True, help="jsonl, parquet or tfrecord.")
@click.option("--field", multiple=True, help="FIELD=COLUMN, where they differ. Repeatable.")
@click.option("--signature", default="serving_default", show_default=True, help="What to ask.")
@click.option("--option", multiple=True, help="NAME=VALUE of an optional input. Repeatable.")
@click.option("--chunk", default=4.0, show_default=True, help="MB of JSON lines in a chunk.")
@click.option("--workers", default=1, show_default=True, help="Processes, without --runner.")
@click.pass_context
def main(context, app, model, patterns, output, form, field, signature, option, chunk, workers):
    """Answer every row of many files in an Apache Beam pipeline; begun again, it goes on.

    Other options are Beam's: --runner=FlinkRunner --flink_master=... and so on. Without --runner,
    --workers processes of this machine do it.

    Example: python -m rnnsuite.beam sentiment --model saved_models/sentiment/2 --input
    'reviews*.jsonl' --output answers --workers 2
    """
    try:
        from rnnsuite.beam.pipeline import score
    except ModuleNotFoundError as error:
        click.echo(f"There is no {error.name} here: pip install 'rnnsuite[beam]'.", err=True)
        sys.exit(2)
    try:
        counts = score(
            app,
            model,
            patterns,
            output,
            form=form,
            columns=_pairs("--field", field),
            signature=signature,
            options={name: _value(text) for name, text in _pairs("--option", option).items()},
            chunk=max(int(chunk * 2**20), 1),
            workers=workers,
            arguments=context.args,
        )
    except UserError as error:
        click.echo(f"rnnsuite.beam: {error}", err=True)
        sys.exit(2)
    click.echo(json.dumps(counts))


def _value(text: str) -> float | str:
    """A number, where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def _pairs(name: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.split("=", 1) for text in texts if "=" in text)
    if len(pairs) < len(texts):
        raise UserError(f"{name} takes NAME=VALUE.")
    return pairs


if __name__ == "__main__":
    main()
