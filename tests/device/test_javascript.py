"""What runs in a browser gives what Python gives."""

import json
import pathlib
import random
import shutil
import subprocess

import pytest

from rnnsuite.device import unigram, wordpiece, words
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
    script += "process.stdout.write(JSON.stringify(answer(JSON.parse(text))));\n"
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
