"""Hostile files: a clear error, bounded time and memory, nothing outside of them read."""

import io
import json
import pathlib
import shutil
import time
import zipfile

import numpy as np
import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_yaml
from rnnsuite.data.within import OUTSIDE
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline import releases
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.train import checkpoint
from tests.files import picture, sound
from tests.processes import PEAK, peak, reset_peak

MEBIBYTE = 2**20
APP = "sentiment"


@pytest.fixture
def run(sentiment, tmp_path):
    """A copy of a finished run, to break."""
    return pathlib.Path(shutil.copytree(sentiment.run, tmp_path / "run"))


@pytest.fixture
def exported(sentiment, tmp_path):
    """A copy of its SavedModel."""
    return pathlib.Path(shutil.copytree(sentiment.saved_model, tmp_path / "1"))


def refusal(call):
    """The message of a UserError; empty where there is none. Anything else is not caught."""
    try:
        call()
    except UserError as error:
        return str(error)
    return ""


class Bounded:
    """Within, time of the processor and memory stay within bounds."""

    def __init__(self, seconds=20.0, mebibytes=300):
        self.seconds = seconds
        self.mebibytes = mebibytes

    def __enter__(self):
        self.begun = time.process_time()
        if PEAK.exists():
            reset_peak()
            self.before = peak()

    def __exit__(self, *_):
        assert time.process_time() - self.begun < self.seconds
        if PEAK.exists():
            assert peak() - self.before < self.mebibytes * MEBIBYTE


def flipped(content, number, rng):
    """With so many bits turned over."""
    changed = bytearray(content)
    for _ in range(number):
        changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    return bytes(changed)


def zipped(entries):
    """A .npz file of these arrays, as they are given."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(f"{name}.npy", content)
    return stream.getvalue()


def array(value, **options):
    stream = io.BytesIO()
    np.save(stream, value, **options)
    return stream.getvalue()


def header(shape, kind="<f4"):
    """The beginning of a .npy file that says that more follows than does."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


class Loud:
    """Would leave a file behind if it were unpickled."""

    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("unpickled"),))


CHECKPOINTS = {
    "no zip": b"no zip at all",
    "empty": b"",
    "an empty zip": zipped({}),
    "objects": zipped({"progress": array(np.array([Loud()], object), allow_pickle=True)}),
    "progress that is none": zipped({"progress": array(np.frombuffer(b"[", np.uint8))}),
    "arrays that lie": zipped({"progress": header((10**12,), "|u1"), "a0000": header((10**12,))}),
    "a bomb": zipped({"progress": header((10**8,), "|u1") + bytes(10**8)}),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_checkpoints(tmp_path, monkeypatch, kind):
    """The one before is taken."""
    monkeypatch.chdir(tmp_path)
    checkpoint.save(tmp_path, 1, [np.ones(3)], {"epoch": 1})
    (tmp_path / "000000002.npz").write_bytes(CHECKPOINTS[kind])
    with Bounded():
        _, progress = checkpoint.load(tmp_path)
    assert progress == {"epoch": 1}
    assert not (tmp_path / "unpickled").exists()


def test_checkpoints_with_flipped_bits(tmp_path):
    """Of a hundred, none is taken for a whole one unless it is equal."""
    rng = np.random.default_rng(0)
    whole = [rng.normal(size=[50, 4]), np.arange(9)]
    checkpoint.save(tmp_path, 1, [np.zeros(1)], {"epoch": 1})
    checkpoint.save(tmp_path, 2, whole, {"epoch": 2})
    path = tmp_path / "000000002.npz"
    content = path.read_bytes()
    for _ in range(100):
        path.write_bytes(flipped(content, 1, rng))
        arrays, progress = checkpoint.load(tmp_path)
        if progress["epoch"] == 2:
            assert all(np.array_equal(*pair) for pair in zip(arrays, whole, strict=True))


def test_weights_with_flipped_bits_and_cut(run):
    """An error or a model, never a crash: HDF5 has no checksums of its own."""
    rng = np.random.default_rng(1)
    path = run / "best.weights.h5"
    content = path.read_bytes()
    app = catalog.find(APP)
    broken = [flipped(content[:2000], 20, rng) + content[2000:] for _ in range(15)]
    for damaged in [*broken, content[:1000], content[:-1000], b"", b"\x89HDF\r\n\x1a\n"]:
        path.write_bytes(damaged)
        message = refusal(lambda: open_model(app, run))
        assert not message or "best.weights.h5" in message


BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else '1'}]\n" for n in range(12))
YAMLS = {
    "aliases of aliases": f"app: sentiment\n{BOMB}data: {{source: *a11}}\n",
    "an object": "app: sentiment\ndata: !!python/object/apply:os.system ['touch unpickled']\n",
    "nested": "app: sentiment\ndata: " + "[" * 5000 + "\n",
    "a list": "- app\n",
    "keys that are lists": "app: sentiment\n? [a, b]\n: 1\n",
    "numbers for sections": "app: sentiment\ndata: 7\nmodel: 8\n",
    "a text for a number": "app: sentiment\nmodel: {units: many}\n",
    "no number": "app: sentiment\ntrain: {learning_rate: .nan}\n",
    "a huge number": f"app: sentiment\nmodel: {{units: {'9' * 5000}}}\n",
    "the same key twice": "app: sentiment\nmodel: {units: 3}\nmodel: {units: 4}\n",
    "a date": "app: sentiment\nseed: 2026-01-01\n",
    "another app": "app: ../../etc\n",
    "no text": b"\xff\xfe\x00app",
    "nulls": b"app: sentiment\x00\n",
}


@pytest.mark.parametrize("kind", YAMLS)
def test_configurations(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.yaml"
    content = YAMLS[kind]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with Bounded(seconds=10), pytest.raises(UserError) as caught:
        configuration.load(catalog.find(APP), path)
    assert len(str(caught.value)) < 3000
    assert not (tmp_path / "unpickled").exists()


DEEP = "[" * 100_000
WRONG = [
    None,
    [],
    {},
    7,
    {"vocabulary": 7},
    {"labels": {"a": 1}},
    {"labels": ["a"] * 3, "max_tokens": "many"},
]


@pytest.mark.parametrize("value", [*WRONG, DEEP], ids=lambda value: str(value)[:20])
def test_what_was_fitted(run, value):
    text = value if isinstance(value, str) else json.dumps(value)
    (run / "fitted.json").write_text(text)
    with Bounded(), pytest.raises(UserError, match=r"fitted\.json is damaged"):
        open_model(catalog.find(APP), run)


def test_what_was_fitted_of_100_mb(run):
    """Read, and found to be of no use, without taking many times its size."""
    (run / "fitted.json").write_text(json.dumps({"labels": ["x" * 100] * 10**6}))
    with Bounded(60, 1500), pytest.raises(UserError, match=r"fitted\.json is damaged"):
        open_model(catalog.find(APP), run)


@pytest.mark.parametrize(
    "card",
    ["", "[", "[]", "7", "{}", '{"config": 7}', '{"config": {"app": []}}', DEEP],
    ids=lambda card: card[:20],
)
def test_model_cards(exported, card):
    path = exported / "assets.extra" / releases.CARD
    path.write_text(card)
    with Bounded(), pytest.raises(UserError):
        open_model(catalog.find(APP), exported)


PARTS = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped"])
def test_saved_models_with_parts_broken(exported, part, damage):
    path = exported / part
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        rng = np.random.default_rng(2)
        damaged = {"empty": b"", "cut": content[: len(content) // 2]}
        path.write_bytes(damaged.get(damage, flipped(content, 400, rng)))
    app = catalog.find(APP)
    with Bounded(60):
        message = refusal(lambda: open_model(app, exported).answer([{"text": b"x"}]))
    assert message or damage == "flipped"
    assert not message or str(exported) in message or "no model" in message


def test_lite_files_that_are_broken(sentiment, tmp_path):
    folder = pathlib.Path(shutil.copytree(sentiment.lite, tmp_path / "lite"))
    path = folder / "float32.tflite"
    content = path.read_bytes()
    for damaged in (b"", b"no model", content[:100], content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"float32\.tflite"):
            open_model(catalog.find(APP), path)


def secret(tmp_path):
    """A file that is nobody's business, beside the folder of the data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.png").write_bytes(picture(9, 9, "PNG"))
    (tmp_path / "secret.wav").write_bytes(sound(440))
    (tmp_path / "data" / "own.png").write_bytes(picture(9, 9, "PNG"))
    (tmp_path / "data" / "own.wav").write_bytes(sound(440))
    return tmp_path / "data"


def captions(folder, name):
    content = {name: ["a secret"], "own.png": ["its own"]}
    (folder / "captions.json").write_text(json.dumps(content))
    return "captioning"


def caption_table(folder, name):
    (folder / "captions.csv").write_text(f"image,caption\n{name},a secret\nown.png,its own\n")
    return "captioning"


def labels(folder, name):
    (folder / "labels.csv").write_text(f"image,label\n{name},secret\nown.png,own\n")
    return "object_recognition"


def transcripts(folder, name):
    name = name.replace(".png", ".wav")
    (folder / "train.tsv").write_text(f"file\ttranscript\n{name}\tsecret\nown.wav\tits own\n")
    return "speech_recognition"


def manifest(folder, name):
    rows = [
        {"audio_filepath": path.replace(".png", ".wav"), "text": "x"} for path in (name, "own.wav")
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "speech_recognition"


LISTS = [captions, caption_table, labels, transcripts, manifest]
NAMES = ["../secret.png", "{root}/secret.png", "link.png", "folder/../../secret.png"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("written", LISTS, ids=lambda written: written.__name__)
def test_lists_that_lead_out_of_their_folder(tmp_path, monkeypatch, written, name):
    folder = secret(tmp_path)
    (folder / "folder").mkdir()
    for kind in ("png", "wav"):
        (folder / f"link.{kind}").symlink_to(tmp_path / f"secret.{kind}")
    app = catalog.find(written(folder, name.format(root=tmp_path)))
    settings = configuration.load(app, "tiny", [f"data.source={folder}", "data.splits={}"])

    def read():
        return list(app.data.load(settings.data, "train").as_numpy_iterator())

    with pytest.raises(UserError, match=f"lies outside of that folder.*{OUTSIDE}=1"):
        read()
    monkeypatch.setenv(OUTSIDE, "1")
    assert read()


def test_yaml_of_a_run_is_read_as_data_alone(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("app: !!python/name:os.system\n")
    with pytest.raises(UserError, match="no valid YAML"):
        read_yaml(path)
