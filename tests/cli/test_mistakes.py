"""Mistakes over all verbs and applications: a line or two, exit status 2, and nothing is lost."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import main
from tests.conftest import ROOT
from tests.files import sound

SENTIMENT = ROOT / "saved_models" / "sentiment" / "1"
LITE = ROOT / "saved_models" / "sentiment" / "lite" / "1"

CONFIGURATION = [
    ("train sentimant", "Did you mean sentiment?"),
    ("config sentimant", "Did you mean sentiment?"),
    ("trian sentiment", "No such command 'trian'. Did you mean train?"),
    ("train sentiment -c nope", "no configuration nope"),
    ("train sentiment -c nope.yaml", "no configuration nope.yaml"),
    ("train sentiment -c {here}/broken.yaml", "is no valid YAML"),
    ("train sentiment -c {here}/latin.yaml", "is not UTF-8"),
    ("train sentiment -c {here}/list.yaml", "must hold a mapping"),
    ("train sentiment -c {here}/unknown.yaml", "model.unitz: unknown key. Did you mean"),
    ("train sentiment -c {here}/other.yaml", "app: "),
    ("train sentiment --set model.unit=3", "--set model.unit: unknown key. Did you mean"),
    ("train sentiment --set model.units=0", "--set model.units: 0 given"),
    ("train sentiment --set model.units=many", '--set model.units: "many" given'),
    ("train sentiment --set model.units=1.5", "--set model.units: 1.5 given"),
    ("train sentiment --set model.units", "write key=value"),
    ("train sentiment --set model.units=[", "no valid YAML value"),
    ("train sentiment --set seed=-1", "--set seed: -1 given"),
    ("train sentiment --set train.monitor=val_acuracy", "Did you mean val_accuracy"),
    ("train sentiment --set data.on_error=ignore", "data.on_error"),
    ("train translation --set data.languages=[en]", "data.languages"),
    ("train translation --set model.decoder.attention=dot --set model.units=3", "attention dot"),
    ("train captioning --set data.backbone=MobileNetV3Small --set data.crop=0.1", "data.frozen"),
    ("train speech_commands --set data.clip_seconds=99", "data.clip_seconds: 99 given"),
    ("train sentiment --fresch", "No such option"),
    ("tune sentiment --set model.units=8", "tune.space searches this key"),
    ("tune sentiment --set tune.space={{}}", "tune.space is empty"),
    ('tune sentiment --set tune.space={{"model.unitz":{{"choice":[4]}}}}', "model.unitz"),
    ('tune sentiment --set tune.space={{"model.units":{{"range":[0,9]}}}}', "0 given"),
    ('tune sentiment --set tune.space={{"tune.trials":{{"choice":[4]}}}}', "cannot be searched"),
    ("tune sentiment --set tune.objective=val_los", "Did you mean val_loss"),
    ("tune sentiment --trials 0", "--trials"),
    ("tune sentiment --chief a:1 --worker b:1", "--chief or --worker"),
    ("tune sentiment --name one", "--name with --worker only"),
    ("predict sentiment --model m", "Give INPUTs"),
    ("predict sentiment --input in.csv", "--input and --output go together"),
    ("predict sentiment --model m --input in.csv", "--input and --output go together"),
    ("predict sentiment --model m --stream a.wav --option beam=3", "does not go with --stream"),
    ("predict sentiment --model m -5stars", "goes behind -- in the command"),
    ("evaluate sentiment --model m --set data.txt=3", "Did you mean data.text"),
    ("export sentiment --run r --set export.lit=3", "Did you mean export.lite"),
    ("--apps {here}/absent train sentiment", "there is no such folder"),
]
"""Only the configuration or the command is wrong: told before TensorFlow is imported."""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a file for every kind of mistake."""
    folder = tmp_path_factory.mktemp("mistakes")
    texts = {
        "broken.yaml": "model: [",
        "list.yaml": "- model\n",
        "unknown.yaml": "app: sentiment\nmodel: {unitz: 3}\n",
        "other.yaml": "app: translation\n",
        "empty.csv": "",
        "one_class.csv": "text,label\na,good\nb,good\n",
        "no_column.csv": "review,stars\na,5\nb,1\n",
        "no_label.csv": "text,label\na,good\nb,\nc,bad\n",
        "sheet.xlsx": "PK",
        "few.csv": "text,label\na,x\nb,y\n",
        "splits/train.csv": "text,label\n" + "a,x\nb,y\n" * 9,
        "splits/validation.csv": "text,label\na,x\nb,z\n",
        "pairs/train.en": "a\nb\n",
        "pairs/train.de": "a\n",
        "pairs.csv": "en,fr\na,b\n",
        "nothing/readme.txt": "nothing here",
        "broken/captions.json": "{",
        "strange/captions.json": '{"a.jpg": 3}',
        "lost/captions.json": '{"absent.jpg": ["a cat"]}',
        "words/yes/a.wav": "no sound",
        "words/no/a.wav": "no sound",
        "none.tflite": "no model",
        "things/thesis.txt": "precious",
        "good.txt": "a film\n",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    (folder / "latin.yaml").write_bytes("# \xfc\napp: sentiment\n".encode("latin-1"))
    (folder / "moved").mkdir()
    shutil.copy(LITE / "dynamic.tflite", folder / "moved" / "dynamic.tflite")
    for name in ("yes", "no"):
        (folder / "sounds" / name).mkdir(parents=True)
        (folder / "sounds" / name / "a.wav").write_bytes(sound(500))
    return folder


def words_of(line: str, here: pathlib.Path) -> list[str]:
    return line.format(here=here, root=ROOT).split()


def test_mistakes_of_the_configuration_are_told_before_tensorflow_is_imported(here):
    """All in one process, which at the end has not imported it."""
    program = (
        "import json, sys\n"
        "from click.testing import CliRunner\n"
        "from rnnsuite.cli.main import main\n"
        "results = []\n"
        "for words in json.load(sys.stdin):\n"
        "    done = CliRunner().invoke(main, words)\n"
        "    results.append([done.exit_code, done.stdout, done.stderr])\n"
        "print(json.dumps([results, sorted({'tensorflow', 'keras'} & set(sys.modules))]))\n"
    )
    table = [words_of(line, here) for line, _ in CONFIGURATION]
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(table), capture_output=True, text=True
    )
    results, imported = json.loads(done.stdout)
    assert imported == []
    for (line, said), (code, output, error) in zip(CONFIGURATION, results, strict=True):
        assert (code, output) == (2, ""), (line, error)
        assert said in error, (line, error)
        assert len(error.strip().splitlines()) <= 2, (line, error)


OTHERS = [
    ("train sentiment --data {here}/absent.csv", "There is no"),
    ("train sentiment --data {here}/empty.csv", "is empty"),
    ("train sentiment --data {here}/one_class.csv", "one class only (good)"),
    ("train sentiment --data {here}/no_column.csv", "no column 'text'; it has review, stars"),
    ("train sentiment --data {here}/no_label.csv", "line 3: no label. Mend it, or leave"),
    ("train sentiment --data {here}/sheet.xlsx", "texts come as .csv"),
    ("train sentiment --data {here}/nothing", "no folders of classes"),
    ("train sentiment --data {here}/few.csv", "leaves the validation split of 2 records empty"),
    ("train sentiment --data {here}/splits", "validation.csv, line 3: label 'z' is not in train"),
    ("train sentiment --data {here}/no_label.csv --set data.encoding=utf-99", "no encoding"),
    ("train sentiment --run {here}/things", "neither empty nor a run"),
    ("tune sentiment --data {here}/no_label.csv", "line 3: no label"),
    ("tune sentiment --run {here}/things", "neither empty nor a search"),
    ("train translation --data {here}/pairs", "has 2 lines and"),
    ("train translation --data {here}/pairs.csv", "no column 'de'; it has en, fr"),
    ("train translation --data {here}/nothing", "There is no"),
    ("train captioning --data {here}/nothing", "has none of captions.json"),
    ("train captioning --data {here}/broken", "is no JSON"),
    ("train captioning --data {here}/strange", "the captions of a.jpg must be a list of texts"),
    ("train captioning --data {here}/lost", "there is no such file"),
    (
        "train captioning --set data.backbone=MobilNetV3Small --set data.colour=0.0",
        "Did you mean MobileNetV3Small",
    ),
    ("train speech_commands --data {here}/nothing", "no folders of classes"),
    ("train speech_commands --data {here}/words", "a.wav"),
    ("train speech_commands --data {here}/sounds --set data.words=[up]", "no folders for up"),
    ("evaluate sentiment --model {here}/absent", "There is no model at"),
    ("evaluate sentiment --model {root}/saved_models/sentiment/lite/1", "dynamic.tflite"),
    ("evaluate sentiment --model {here}/things", "is no run"),
    ("evaluate sentiment --model {root}/saved_models/translation/1", "a model of translation"),
    ("evaluate sentiment --model {root}/saved_models/sentiment --data {here}/empty.csv", "empty"),
    ("predict sentiment --model {here}/absent.tflite film", "There is no file"),
    ("predict sentiment --model {here}/none.tflite film", "moved away from the files"),
    ("predict sentiment --model {here}/moved/dynamic.tflite film", "moved away from the files"),
    (
        "predict translation --model {root}/saved_models/sentiment/lite/1/dynamic.tflite film",
        "a model of sentiment, not of translation",
    ),
    ("predict translation --model {root}/saved_models/sentiment/1 film", "a model of sentiment"),
    ("predict sentiment --model {root}/saved_models/sentiment --signature explane x", "explain"),
    ("predict sentiment --model {root}/saved_models/sentiment --option beam=3 x", "no optional"),
    ("predict sentiment --model {root}/saved_models/sentiment --option beam x", "NAME=VALUE"),
    ("predict sentiment --model {root}/saved_models/sentiment --set train.epochs=3 x", "--set"),
    (
        "predict sentiment --model {root}/saved_models/sentiment --input {here}/good.txt "
        "--output {here}/out.pdf",
        "ends in .jsonl, .csv, .tsv",
    ),
    (
        "predict sentiment --model {root}/saved_models/sentiment --input {here}/no_column.csv "
        "--output {here}/out.csv",
        "has no column 'text'; it has review, stars. Name one with --field",
    ),
    ("predict speech_commands --model {root}/saved_models/speech_commands {here}/a.wav", "no"),
    ("predict sentiment --model {root}/saved_models/sentiment --stream a.wav", "no stream"),
    ("export sentiment --run {here}/absent", "is no run"),
    ("export sentiment --run {here}/things --set train.epochs=3", "is trained"),
    ("serve --models {here}/things", "has no model that can be served"),
    ("deploy --models {here}/things", "has no exported model"),
    ("deploy --stable sentiment", "write APP=VERSION"),
]


@pytest.mark.parametrize(("line", "said"), OTHERS, ids=[line for line, _ in OTHERS])
def test_a_mistake_is_a_line_or_two_with_status_2(here, line, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words_of(line, here))
    error = [row for row in result.stderr.splitlines() if row.startswith("rnnsuite:")]
    assert result.exit_code == 2, (result.stderr, result.exception)
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert len(error) == 1
    assert result.stdout == ""
    # A failed start leaves no folder of its own.
    assert not list(tmp_path.glob("runs/*/*"))


def test_at_least_sixty():
    assert len(CONFIGURATION) + len(OTHERS) >= 60


def test_debug_keeps_the_exit_status():
    result = CliRunner().invoke(main, ["--debug", "train", "sentimant"])
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_things_of_others_are_left_alone(here):
    assert (here / "things" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_told_in_a_line(backend):
    """Whether or not it is installed."""
    program = (
        "try:\n"
        "    import rnnsuite.layers\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.startswith(
        f"UserError rnnsuite needs Keras on TensorFlow, and here Keras uses {backend}"
    )
    assert "KERAS_BACKEND=tensorflow" in done.stdout


def test_the_command_line_chooses_the_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    program = (
        "import os\n"
        "from click.testing import CliRunner\n"
        "from rnnsuite.cli.main import main\n"
        "CliRunner().invoke(main, ['apps'])\n"
        "print(os.environ['KERAS_BACKEND'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "tensorflow\n"
