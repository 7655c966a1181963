"""What runs in a browser gives what Python gives."""

import base64
import dataclasses
import io
import json
import pathlib
import random
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from rnnsuite.device import (
    events,
    language,
    resize,
    transcribe,
    unigram,
    wave,
    window,
    wordpiece,
    words,
)
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
SCRIPTS = ROOT / "rnnsuite" / "device" / "js"
MODELS = ROOT / "saved_models"
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz     ",
    "ABCXYZ ÄÖÜäöüß ſ ÀÉÑŐ ğİıŞ",
    "АБВГДЕЖабвгдеж  ΑΣΟΣ σς",
    "日本語の文字列。中国、한국어 가",
    ".,;:!?'\"-()[]{}@#$%^&*+=~`|\\/<>«»…",
    "0123456789 ½²①",
    "\t\n\r\x00\x1f\u00ad\u200b\u2028\u2581\u3000\ufeff\u00a0",
    "😀🎉👩🏽\u200d💻 𝒜𝓑 ﬁﬂ Å e\u0301 ǅ",
    "<br><br /> <BR/>",
]


def texts(count, pieces, seed=0):
    """Texts of pieces of a vocabulary, of all kinds of letters, and of both."""
    rng = random.Random(seed)
    drawn = []
    for _ in range(count):
        parts = []
        for _ in range(rng.randrange(12)):
            letters = rng.choice(ALPHABETS)
            if rng.random() < 0.5:
                parts.append(rng.choice(pieces).replace(unigram.SPACE, " ").replace("##", ""))
            else:
                parts.append("".join(rng.choices(letters, k=rng.randrange(1, 8))))
        drawn.append(rng.choice(["", " "]).join(parts))
    return [*drawn, "", " ", "a" * 3000, "\u00df" * 200]


def in_node(program, value):
    """What a module's `answer` gives to a value, both as JSON."""
    script = f"{program}\nlet text = '';\nfor await (const part of process.stdin) text += part;\n"
    script += "process.stdout.write(JSON.stringify(await answer(JSON.parse(text))));\n"
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(
        command, input=json.dumps(value), capture_output=True, text=True, cwd=SCRIPTS
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def assert_same_ids(module, make, expected, drawn):
    """`make` is a tokenizer in JavaScript, `expected` its ids in Python."""
    program = (
        f"import {{Tokenizer}} from './{module}.mjs';\nimport fs from 'node:fs';\n"
        f"const tokenizer = {make};\n"
        "const answer = (texts) => texts.map((text) => tokenizer.ids(text));"
    )
    found = in_node(program, drawn)
    for text, ids, numbers in zip(drawn, found, expected, strict=True):
        assert ids == numbers, repr(text)


def read(path: pathlib.Path) -> str:
    return f"fs.readFileSync({json.dumps(str(path))}, 'utf8')"


@pytest.mark.parametrize("keep", ["first", "last", "ends"])
@pytest.mark.parametrize("lower", [False, True])
def test_subwords(lower, keep):
    path = next(iter(sorted((MODELS / "translation" / "lite" / "1").glob("*.tsv"))))
    tokenizer = unigram.Tokenizer.load(path, 40, lower=lower, keep=keep)
    drawn = texts(400, tokenizer.pieces)
    options = json.dumps({"lower": lower, "keep": keep})
    make = f"new Tokenizer({read(path)}, 40, {options})"
    assert_same_ids("unigram", make, map(tokenizer, drawn), drawn)


def test_of_two_ways_with_one_score_the_first_is_taken(tmp_path):
    path = tmp_path / "vocabulary.tsv"
    rows = ["<pad>\t0", "<unk>\t0", "<s>\t0", "</s>\t0", "\u2581a\t-1", "b\t-1", "\u2581ab\t-2"]
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    tokenizer = unigram.Tokenizer.load(path, 9)
    drawn = ["ab", "ab ab", "abb"]
    assert tokenizer("ab") == [6]
    make = f"new Tokenizer({read(path)}, 9)"
    assert_same_ids("unigram", make, map(tokenizer, drawn), drawn)


def test_texts_of_subwords():
    path = next(iter(sorted((MODELS / "translation" / "lite" / "1").glob("*.tsv"))))
    tokenizer = unigram.Tokenizer.load(path, 60)
    drawn = [tokenizer(text) for text in texts(300, tokenizer.pieces)]
    program = (
        "import {Tokenizer} from './unigram.mjs';\nimport fs from 'node:fs';\n"
        f"const tokenizer = new Tokenizer({read(path)}, 60);\n"
        "const answer = (rows) => rows.map((ids) => "
        "[tokenizer.text(ids), ids.map((id) => tokenizer.added(id))]);"
    )
    expected = [[tokenizer.text(ids), [tokenizer.added(n) for n in ids]] for ids in drawn]
    assert in_node(program, drawn) == expected


@pytest.mark.parametrize("lower", [False, True])
def test_wordpieces(lower):
    path = MODELS / "sentiment" / "lite" / "1" / "vocabulary.txt"
    pieces = path.read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer = wordpiece.Tokenizer(pieces, lower, 30)
    drawn = texts(400, pieces)
    make = f"new Tokenizer({read(path)}, {json.dumps({'lower': lower, 'max_tokens': 30})})"
    assert_same_ids("wordpiece", make, map(tokenizer, drawn), drawn)


@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize(("unit", "lower"), [("words", True), ("characters", False)])
def test_words_and_characters(unit, lower, keep):
    pieces = ["", "", "", "", *(ALPHABETS[0] if unit == "characters" else ("the", "cat", ".", "i̇"))]
    tokenizer = words.Tokenizer(pieces, unit, 25, lower=lower, keep=keep)
    drawn = texts(400, pieces)
    options = json.dumps({"lower": lower, "keep": keep})
    make = f"new Tokenizer({json.dumps(pieces)}, {json.dumps(unit)}, 25, {options})"
    assert_same_ids("words", make, map(tokenizer, drawn), drawn)


def test_case_folding_is_unicode_s():
    """Of every character."""
    characters = [
        chr(code) for code in range(0x110000) if chr(code).casefold() != chr(code) or code % 97 == 0
    ]
    characters = [character for character in characters if not "\ud800" <= character <= "\udfff"]
    program = (
        "import {casefold} from './casefold.mjs';\nconst answer = (texts) => texts.map(casefold);"
    )
    folded = in_node(program, characters)
    assert folded == [character.casefold() for character in characters]


def walks(rng, rows, classes, sharpness=4.0):
    """Probabilities `[rows, classes]` that stay with a class for some rows."""
    liked = np.repeat(rng.integers(0, classes, rows // 3 + 1), 3)[:rows]
    logits = rng.normal(size=[rows, classes]) + sharpness * np.eye(classes)[liked]
    shares = np.exp(logits)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"smoothing": 0.1, "pause": 0.06, "lead": 0.05}])
def test_events(options):
    rng = np.random.default_rng(5)
    labels = ["_silence_", "yes", "no", "go"]
    blocks = [walks(rng, 40, 4) for _ in range(30)]
    detector = events.Detector(labels, ["_silence_"], 0.02, **options)
    expected = [detector.feed(block) for block in blocks]
    program = (
        "import {Detector} from './events.mjs';\n"
        "const answer = ({labels, options, blocks}) => {\n"
        "  const detector = new Detector(labels, ['_silence_'], 0.02, options);\n"
        "  return blocks.map((block) => detector.feed(block)).concat([detector.end()]);\n};"
    )
    value = {"labels": labels, "options": options, "blocks": [each.tolist() for each in blocks]}
    *found, last = in_node(program, value)
    assert found == [[dataclasses.asdict(event) for event in each] for each in expected]
    assert last == [dataclasses.asdict(event) for event in detector.end()]
    assert sum(map(len, found)) > 5


@pytest.mark.parametrize("is_subwords", [False, True])
@pytest.mark.parametrize("beam", [1, 4])
def test_a_stream_is_written_down(is_subwords, beam):
    rng = np.random.default_rng(beam)
    pieces = ["", " ", *"abcde"] if not is_subwords else ["", "▁", "▁a", "b", "c", "▁d", "e▁"]
    blocks = [np.log(walks(rng, 4, len(pieces), 5.0)) for _ in range(60)]
    blocks += [np.log(np.tile([[0.94] + [0.01] * 6], [20, 1])).astype(np.float32)]
    alphabet = transcribe.Alphabet(pieces, is_subwords)
    transcriber = transcribe.Transcriber(alphabet, 0.04, 3, beam, patience=0.8)
    expected = [*map(transcriber.feed, blocks), transcriber.end()]
    rows = np.concatenate(blocks)
    ids, steps, _ = transcribe.greedy(rows)
    program = (
        "import {Alphabet, Transcriber, greedy} from './transcribe.mjs';\n"
        "const answer = ({settings, options, blocks}) => {\n"
        "  const alphabet = new Alphabet(settings);\n"
        "  const transcriber = new Transcriber(alphabet, 0.04, options);\n"
        "  const said = blocks.map((block) => transcriber.feed(block));\n"
        "  said.push(transcriber.end());\n"
        "  const {ids, steps} = greedy(blocks.flat());\n"
        "  return {said, ids, steps, text: alphabet.text(ids)};\n};"
    )
    value = {
        "settings": {"pieces": pieces, "is_subwords": is_subwords},
        "options": {"ahead": 3, "beam": beam, "patience": 0.8},
        "blocks": [block.tolist() for block in blocks],
    }
    found = in_node(program, value)
    assert found["said"] == expected
    assert found["ids"] == ids
    assert found["steps"] == steps
    assert found["text"] == alphabet.text(ids)
    assert sum(map(len, expected)) > 60


@pytest.mark.parametrize(
    "options", [(0.0, 0, 1.0), (1.0, 0, 1.0), (0.7, 5, 1.0), (1.3, 0, 0.8), (1.0, 9, 0.5)]
)
def test_tokens_are_drawn_alike(options):
    temperature, top_k, top_p = options
    rng = np.random.default_rng(0)
    drawn = []
    expected = []
    for position in range(200):
        ids = rng.integers(0, 50_000, rng.integers(0, 9)).tolist()
        seed = language.text_seed(ids, position)
        logs = np.log(walks(rng, 1, 40, 1.0)[0])
        number = language.uniform(seed, position)
        drawn.append({"ids": ids, "seed": position, "logs": logs.tolist()})
        expected.append([seed, number, language.choose(logs, number, temperature, top_k, top_p)])
    program = (
        "import {choose, textSeed, uniform} from './sampling.mjs';\n"
        "const answer = ({rows, options}) => rows.map(({ids, seed, logs}) => {\n"
        "  const own = textSeed(ids, seed);\n"
        "  const number = uniform(own, seed);\n"
        "  return [own, number, choose(logs, number, options)];\n});"
    )
    value = {
        "rows": drawn,
        "options": {"temperature": temperature, "topK": top_k, "topP": top_p},
    }
    assert in_node(program, value) == expected


def sound(rate, channels, subtype, seconds=0.2):
    rng = np.random.default_rng(channels)
    samples = 0.5 * rng.normal(size=[int(rate * seconds), channels])
    content = io.BytesIO()
    soundfile.write(content, samples, rate, subtype, format="WAV")
    return content.getvalue()


def test_wav_files():
    kinds = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"]
    files = [sound(wave.RATE, channels, kind) for kind in kinds for channels in (1, 2, 6)]
    files += [sound(rate, 1, "PCM_16") for rate in (8000, 11_025, 44_100)]
    files += [files[0][:-31], sound(wave.RATE, 1, "PCM_16", 3.0)]
    count = wave.RATE // 4
    expected = [[wave.clip(content, count), wave.whole(content, 320)] for content in files]
    program = (
        "import {clip, whole} from './wave.mjs';\n"
        "const answer = (files) => files.map((text) => {\n"
        "  const bytes = new Uint8Array(Buffer.from(text, 'base64'));\n"
        f"  return [Array.from(clip(bytes, {count})), Array.from(whole(bytes, 320))];\n}});"
    )
    found = in_node(program, [base64.b64encode(content).decode() for content in files])
    for arrays, others in zip(found, expected, strict=True):
        for array, other in zip(arrays, others, strict=True):
            np.testing.assert_allclose(array, other, atol=2e-6)


@pytest.mark.parametrize("content", [b"", b"text" * 20, sound(wave.RATE, 1, "PCM_16")[:30]])
def test_what_is_no_wav_file_is_refused_alike(content):
    with pytest.raises(ValueError, match="not a") as refused:
        wave.read(content)
    program = (
        "import {read} from './wave.mjs';\n"
        "const answer = (text) => {\n"
        "  try { read(new Uint8Array(Buffer.from(text, 'base64'))); }\n"
        "  catch (error) { return error.message; }\n};"
    )
    assert in_node(program, base64.b64encode(content).decode()) == str(refused.value)


@pytest.mark.parametrize("shape", [(5, 7), (96, 40), (32, 32), (1, 200)])
def test_pixels(shape):
    pixels = np.random.default_rng(1).integers(0, 256, [*shape, 3], dtype=np.uint8)
    expected = resize.resize(pixels, 32)[0]
    program = (
        "import {resize} from './resize.mjs';\n"
        f"const answer = (pixels) => Array.from(resize(pixels, {shape[0]}, {shape[1]}, 32));"
    )
    found = np.reshape(in_node(program, pixels.ravel().tolist()), expected.shape)
    difference = np.abs(found - expected)
    assert difference.max() <= 1  # a sum next to a half may be rounded otherwise
    assert difference.mean() < 5e-3


def test_a_file_of_several_lengths():
    """With a model in place of LiteRT.js's that doubles: `y` has half as many steps as `x`."""
    program = """
import {LiteFile} from './runner.mjs';
class Tensor {
  constructor(array, shape) { this.array = array; this.shape = shape; }
  async data() { return this.array; }
  delete() {}
}
const detail = (name, shape, dtype = 'float32') => ({name, shape: Int32Array.from(shape), dtype});
const signature = (size) => ({
  getInputDetails: () => [detail('x', [1, size, 3]), detail('length', [1], 'int32')],
  getOutputDetails: () => [detail('y', [1, size / 2, 2]), detail('n', [1], 'int32')],
  run: async ({x, length}) => ({
    y: new Tensor(Float32Array.from({length: size}, (_, place) => 2 * x.array[place]), []),
    n: new Tensor(length.array, [1]),
  }),
});
const file = new LiteFile({signatures: {f_4: signature(4), f_16: signature(16)}}, Tensor);
async function asked(steps) {
  const data = Float32Array.from({length: 3 * steps}, (_, place) => place);
  try {
    const {y, n} = await file.run('f', {x: {shape: [1, steps, 3], data}});
    return [y.shape, Array.from(y.data), n.data[0]];
  } catch (error) {
    return error.message;
  }
}
const answers = await Promise.all([2, 4, 6, 17].map(asked));
const answer = () => answers;
"""
    two, four, six, refused = in_node(program, None)
    assert two == [[1, 1, 2], [0, 2], 2]
    assert four == [[1, 2, 2], [0, 2, 4, 6], 4]
    assert six == [[1, 3, 2], [0, 2, 4, 6, 8, 10], 6]
    assert refused == "f takes at most 16 steps, not 17"


MONTHS = np.arange("2019-10", "2024-10", dtype="datetime64[M]").astype("datetime64[s]")
LAST_DAYS = MONTHS.astype(np.int64) - 86_400
HOURS = np.arange(0, 3600 * 60, 3600) + 1_700_000_000


@pytest.mark.parametrize(
    ("unit", "center", "scale", "power"),
    [
        ("second", "mean", "deviation", 1),
        ("second", "last", "absolute", 0.5),
        ("month", "median", "range", 1),
        ("month", "none", "none", 0),
    ],
)
@pytest.mark.parametrize("count", [60, 7])
def test_windows_of_series(unit, center, scale, power, count):
    settings = {
        "lookback": 24,
        "horizon": 5,
        "step": 1 if unit == "month" else 3600,
        "unit": unit,
        "center": center,
        "scale": scale,
        "power": power,
        "waves": [[86_400, 1], [604_800, 2]],
        "covariates": ["price"],
    }
    rng = np.random.default_rng(count)
    values = np.round(rng.gamma(2.0, 20.0, count), 3)
    values[rng.random(count) < 0.2] = np.nan
    times = (LAST_DAYS if unit == "month" else HOURS)[:count]
    covariates = np.round(rng.normal(size=[count + 5, 1]), 3)
    made = window.Window(settings)
    expected = made(values, times, covariates)
    program = (
        "import {Window} from './window.mjs';\n"
        "const answer = ({settings, values, times, covariates}) => {\n"
        "  const window = new Window(settings);\n"
        "  const inputs = window.inputs(values.map((each) => each ?? NaN), times, covariates);\n"
        "  const arrays = Object.entries(inputs).map(\n"
        "    ([name, {shape, data}]) => [name, [shape, Array.from(data)]]);\n"
        "  return [Object.fromEntries(arrays), window.times(times)];\n};"
    )
    value = {
        "settings": settings,
        "values": [None if np.isnan(each) else each for each in values],
        "times": times.tolist(),
        "covariates": covariates.tolist(),
    }
    found, ahead = in_node(program, value)
    assert ahead == made.times(times).tolist()
    assert found.keys() == expected.keys()
    for name, (shape, data) in found.items():
        array = expected[name].reshape(shape)
        np.testing.assert_allclose(np.reshape(data, shape), array, rtol=1e-4, atol=1e-5)
