"""`rnnsuite VERB APP`. Importing this does not import TensorFlow: help comes at once."""

import contextlib
import functools
import json
import logging
import os
import pathlib
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from rnnsuite import __version__
from rnnsuite.errors import UserError

CONFIG = click.option(
    "-c", "--config", default="sample", show_default=True, help="YAML file, or the name of one in configs/APP."
)
SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, such as model.units=128."
)
MODEL = click.option(
    "--model", required=True, type=click.Path(path_type=pathlib.Path), help="Run, SavedModel folder or .tflite."
)
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on standard output."
)


class _Commands(click.Group):
    """Shows users' errors in a line or two with exit status 2; --debug shows the traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except UserError as error:
            if context.params.get("debug"):
                raise
            click.echo(f"rnnsuite: {error}", err=True)
            context.exit(2)
        except KeyboardInterrupt:
            click.echo("rnnsuite: interrupted; the same command goes on from the last checkpoint.", err=True)
            context.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and TensorFlow's own messages.")
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context, debug: bool) -> None:
    """Recurrent applications on Keras and TensorFlow: train, tune, evaluate, export, predict."""
    context.obj = sys.stdout
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("rnnsuite").setLevel(logging.INFO)
    logging.getLogger("apps").setLevel(logging.INFO)


def main_of_app(name: str) -> None:
    """`python -m apps.NAME VERB ...`"""
    main([*sys.argv[1:2], name, *sys.argv[2:]] if sys.argv[1:2] and not sys.argv[1].startswith("-") else sys.argv[1:])


@contextlib.contextmanager
def _hushed(debug: bool) -> Iterator[None]:
    """Keeps the greetings that TensorFlow's libraries write while they load off standard error."""
    if debug:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _with_app(function):
    """Turns the APP argument into the application, imported only now."""

    @click.argument("app", metavar="APP")
    @functools.wraps(function)
    def command(app: str, **options):
        from rnnsuite.app import find

        with _hushed(click.get_current_context().find_root().params["debug"]):
            found = find(app)
        # Standard output is for the answer alone; libraries that print their progress print it elsewhere.
        with contextlib.redirect_stdout(sys.stderr):
            return function(found, **options)

    return command


def _print(value: dict[str, Any], as_json: bool) -> None:
    lines = [json.dumps(value, ensure_ascii=False)] if as_json else [f"{name}: {_line(v)}" for name, v in value.items()]
    _say("\n".join(lines))


def _say(text: str) -> None:
    click.echo(text, file=click.get_current_context().find_root().obj)


def _line(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{name} {_line(value)}" for name, value in item.items())
    if isinstance(item, list):
        return " ".join(_line(value) for value in item)
    return _number(item)


def _number(item: Any) -> str:
    if not isinstance(item, float):
        return str(item)
    return f"{item:.4f}" if item == 0 or abs(item) >= 1e-3 else f"{item:.1e}"


@main.command()
@JSON
def apps(as_json: bool) -> None:
    """List the applications."""
    from rnnsuite.app import summaries

    _print(summaries(), as_json)


@main.command()
@_with_app
@CONFIG
@SET
@click.option(
    "--run", type=click.Path(path_type=pathlib.Path), help="Run folder.  [default: runs/APP/CONFIG-<hash of settings>]"
)
@JSON
def train(app, config: str, overrides: tuple[str, ...], run: pathlib.Path | None, as_json: bool) -> None:
    """Train APP. The same command resumes a run that was interrupted."""
    from rnnsuite import config as configuration
    from rnnsuite import evaluate, report, workers
    from rnnsuite.run import Run, default_folder

    settings = configuration.load(app, config, overrides)
    folder = run or default_folder(app, pathlib.Path(config).stem, settings)
    from rnnsuite.train import train as train_run

    def reported():
        if not (folder / "report.html").is_file():
            score, count = evaluate.evaluate(app, folder, split="validation")
            report.write(Run(app, folder), score, "validation", count)

    try:
        team = workers.start(settings.train)
        metrics = train_run(app, settings, folder, team=team)
        team.share(reported)  # the others wait, so that nobody is missed before all is done
    except workers.WorkerLost as error:
        _again(str(error))
    where = {"run": str(folder), "report": str(folder / "report.html")} if team.chief else {"worker": team.number}
    _print({**where, **metrics}, as_json)


RESTARTS = 50  # of one process, after which a loss is no accident any more


def _again(reason: str) -> None:
    """Begins this command anew, in the same process: a cluster of workers that has lost one cannot be mended."""
    done = int(os.environ.get("RNNSUITE_RESTARTS", "0"))
    if done >= RESTARTS:
        raise UserError(f"Workers were lost {done} times; the last time: {reason}")
    click.echo(f"rnnsuite: a worker was lost ({reason}); going on from the last checkpoint with all.", err=True)
    os.environ["RNNSUITE_RESTARTS"] = str(done + 1)
    time.sleep(1)
    os.execv(sys.executable, sys.orig_argv)


@main.command()
@_with_app
@CONFIG
@SET
@click.option("--trials", type=click.IntRange(min=1), help="Number of trials, in place of tune.trials.")
@click.option(
    "--run",
    type=click.Path(path_type=pathlib.Path),
    help="Folder of the search, which all its processes see.  [default: runs/APP/tune-CONFIG-<hash>]",
)
@click.option("--chief", metavar="HOST:PORT", help="Give trials out at this address, in place of running them.")
@click.option("--worker", metavar="HOST:PORT", help="Run trials that the chief at this address gives out.")
@click.option("--name", help="Of this worker, the same when it is started again.  [default: the host's]")
@JSON
def tune(app, config: str, overrides, trials: int | None, run, chief, worker, name, as_json: bool) -> None:
    """Search APP's settings with keras-tuner. The same command resumes a search that was interrupted."""
    if (chief and worker) or (name and not worker):
        raise UserError("Give --chief or --worker, and --name with --worker only.")
    from rnnsuite import config as configuration
    from rnnsuite.run import default_folder

    settings = configuration.load(app, config, overrides)
    folder = run or default_folder(app, f"tune-{pathlib.Path(config).stem}", settings)
    if trials:
        settings = configuration.replace(app, settings, {"tune.trials": trials})
    from rnnsuite.tune import tune as search

    _print(search(app, settings, folder, chief, (worker, name or socket.gethostname()) if worker else None), as_json)


@main.command()
@_with_app
@MODEL
@click.option("--data", metavar="SOURCE", help="sample, tfds:NAME or a path.  [default: what it was trained with]")
@click.option("--split", default="test", show_default=True)
@SET
@JSON
def evaluate(app, model: pathlib.Path, data: str | None, split: str, overrides, as_json: bool) -> None:
    """Score a model of APP on one split."""
    from rnnsuite import evaluate as evaluation

    score, count = evaluation.evaluate(app, model, data, split, overrides)
    _print(evaluation.summary(app, model, split, score, count), as_json)


@main.command()
@_with_app
@click.option("--run", required=True, type=click.Path(path_type=pathlib.Path), help="The run to export.")
@click.option("--to", default=pathlib.Path("saved_models"), type=click.Path(path_type=pathlib.Path), show_default=True)
@click.option("--version", type=click.IntRange(min=1), help="Version number.  [default: one more than the newest]")
@click.option(
    "--lite", multiple=True, help="Kinds of .tflite: float32, dynamic; none for none.  [default: export.lite]"
)
@JSON
def export(app, run: pathlib.Path, to: pathlib.Path, version: int | None, lite, as_json: bool) -> None:
    """Export a run of APP as a SavedModel and .tflite files, and prove that they agree with it."""
    from rnnsuite.export.release import release

    result = release(app, run, to, version, lite)
    if as_json:
        _print(result, as_json)
        return
    report = result.pop("parity")
    _print(result, as_json)
    _say(f"parity on {report['records']} records of the {report['split']} split:")
    for name, form in report["forms"].items():
        _say(f"  {name:<16} " + "  ".join(f"{key} {_number(value)}" for key, value in form.items()))


@main.command()
@_with_app
@MODEL
@click.option("--signature", default="serving_default", show_default=True)
@click.option("--stream", metavar="SOURCE", help='Follow a recording, or "microphone", and tell events as they come.')
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An optional input of the signature.")
@click.option(
    "--input", "source", type=click.Path(path_type=pathlib.Path), help="A .jsonl, .txt, .csv or .tsv of many."
)
@click.option("--output", type=click.Path(path_type=pathlib.Path), help="Where --input's answers go, as .jsonl.")
@click.option("--field", help="The field or column of --input that holds the requests.  [default: the application's]")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@SET
@JSON
def predict(
    app, model: pathlib.Path, signature: str, stream, options, source, output, field, inputs, overrides, as_json: bool
) -> None:
    """Answer raw INPUTs: texts, or paths to files. A single - reads one text a line from standard input.

    With --input and --output, answer a whole file; the same command goes on where it was interrupted.
    """
    from rnnsuite import predict as prediction

    if sum(map(bool, (stream, inputs, source))) != 1:
        raise UserError("Give INPUTs, or --stream SOURCE, or --input FILE.")
    if bool(source) != bool(output) or (field and not source):
        raise UserError("--input and --output go together, and --field with them.")
    if stream and options:
        raise UserError("--option does not go with --stream.")
    if stream:
        return _follow(app, model, stream, overrides, as_json)
    if any(not override.startswith("decode.") for override in overrides):
        raise UserError("--set takes keys of decode here, and with --stream those of stream.")
    if source:
        from rnnsuite import batch

        asked = {"field": field, "signature": signature, "options": dict(_option(each) for each in options)}
        return _print(batch.score(app, model, source, output, overrides=overrides, **asked), as_json)
    values = [line.rstrip("\n") for line in sys.stdin] if inputs == ("-",) else list(inputs)
    model = prediction.open_model(app, model, overrides)
    answers = model.answer(app.requests(values), signature, dict(_option(each) for each in options))
    rows = [{"input": value, **prediction.readable(answers, row)} for row, value in enumerate(values)]
    if as_json:
        _say(json.dumps({"answers": rows}, ensure_ascii=False))
        return
    for row in rows:
        _say("\n  ".join(_line(value) if name == "input" else f"{name}: {_line(value)}" for name, value in row.items()))


@main.command()
@click.argument("names", nargs=-1, metavar="[APP]...")
@click.option(
    "--models", default=pathlib.Path("saved_models"), type=click.Path(path_type=pathlib.Path), show_default=True
)
@click.option(
    "--config", type=click.Path(path_type=pathlib.Path), help="TF Serving's models config: version policies and labels."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 for other machines, too."
)
@click.option("--port", default=8501, type=click.IntRange(0, 65535), show_default=True, help="0 takes a free one.")
@click.option("--batch", default=64, type=click.IntRange(min=1), show_default=True, help="Rows that share a run.")
@click.option("--body", default=32, type=click.IntRange(min=1), show_default=True, help="MiB of a request at most.")
@click.option(
    "--concurrency", default=256, type=click.IntRange(min=1), show_default=True, help="Requests under way at most."
)
@click.option("--timeout", default=30.0, type=click.FloatRange(min=0.001), show_default=True, help="Seconds to answer.")
@click.option("--poll", default=1.0, type=click.FloatRange(min=0.05), show_default=True, help="Seconds between looks.")
@click.option("--threads", default=1, type=click.IntRange(min=1), show_default=True, help="Of TensorFlow in one run.")
@click.option(
    "--grace", default=30.0, type=click.FloatRange(min=0), show_default=True, help="Seconds that requests have to end."
)
def serve(names: tuple[str, ...], models: pathlib.Path, config, body: int, **options) -> None:
    """Serve exported models by TF Serving's REST interface; new versions are picked up as they come."""
    with _hushed(click.get_current_context().find_root().params["debug"]):
        try:
            from rnnsuite.serve import library, server
        except ModuleNotFoundError as error:
            raise UserError(f"There is no {error.name} here: pip install 'rnnsuite[serve]'.") from error
    plans = library.plans(config) if config else {}
    server.serve(server.Settings(models=models, names=names, plans=plans, body=body * 2**20, **options))


@main.command()
@click.option(
    "--models", default=pathlib.Path("saved_models"), type=click.Path(path_type=pathlib.Path), show_default=True
)
@click.option("--to", default=pathlib.Path("deploy"), type=click.Path(path_type=pathlib.Path), show_default=True)
@click.option("--stable", multiple=True, metavar="APP=N", help="The version with the label stable.  [default: newest]")
@click.option("--canary", multiple=True, metavar="APP=N", help="The version with the label canary.  [default: newest]")
@click.option("--tag", help="Of the image tensorflow/serving.  [default: the release of our TensorFlow]")
@click.option("--workers", default=4, type=click.IntRange(min=2), show_default=True, help="Of the training job.")
@JSON
def deploy(models: pathlib.Path, to: pathlib.Path, stable, canary, tag, workers: int, as_json: bool) -> None:
    """Write what TF Serving, Docker Compose and Kubernetes need to serve the exported models."""
    with _hushed(click.get_current_context().find_root().params["debug"]):
        from rnnsuite import deploy as deployment
    pins = {"stable": dict(map(_pin, stable)), "canary": dict(map(_pin, canary))}
    files = deployment.deploy(models, to, tag=tag or deployment.TAG, workers=workers, **pins)
    _print({"written": [str(path) for path in files]}, as_json)


def _pin(text: str) -> tuple[str, int]:
    name, _, version = text.partition("=")
    if not version.isdecimal():
        raise UserError(f"{text}: write APP=VERSION, such as sentiment=2.")
    return name, int(version)


def _option(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise UserError(f"--option {text}: write NAME=NUMBER.") from error


def _follow(app, model: pathlib.Path, source: str, overrides: tuple[str, ...], as_json: bool) -> None:
    from rnnsuite import evaluate as evaluation
    from rnnsuite import predict as prediction

    settings = evaluation.stream_settings(app, model, overrides)
    found = []
    with contextlib.suppress(KeyboardInterrupt):  # which is how a live source ends
        for event in prediction.stream(app, model, source, settings):
            found.append(dict(event))
            if not as_json:
                _say("  ".join(f"{name} {_line(value)}" for name, value in event.items()))
    if as_json:
        _say(json.dumps({"stream": source, "events": found}, ensure_ascii=False))


if __name__ == "__main__":
    main()
