"""Decode loops in JavaScript write what those in Python write, with a formula for a model."""

import json
import shutil

import numpy as np
import pytest

from rnnsuite.device import follow, language, writer
from tests.device.test_javascript import in_node

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
SIZE = 9
"""Tokens of the vocabulary."""
FORMULA = """
const SIZE = 9;
const ones = (shape) => ({shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1))});
class Formula {
  constructor() {
    const takes = new Map([['x', 0], ['state', 0]]);
    this.signatures = new Map([['add', {takes, gives: new Map([['y', 0], ['state', 0]])}]]);
  }
  zeros(name) {
    return name === 'add' ? {x: ones([1, 2, 1]), state: ones([1, 1])} :
      {token: ones([1]), state: ones([1, 1])};
  }
  async run(name, inputs) {
    if (name === 'encode') {
      const sum = inputs.ids.data.reduce((a, b) => a + b, 0);
      return {state: {shape: [1, 1], data: Float32Array.of(sum % 7)}, kept: ones([1, 3])};
    }
    const state = inputs.state.data[0];
    if (name === 'add') {
      const sum = inputs.x.data.reduce((a, b) => a + b, state);
      return {y: {shape: [1, 1], data: Float32Array.of(2 * sum)},
        state: {shape: [1, 1], data: Float32Array.of(sum)}};
    }
    const token = inputs.token.data[0];
    const logs = Float32Array.from({length: SIZE}, (_, k) => Math.sin(k * (token + 1) + state));
    const rows = {shape: [1, SIZE], data: logs};
    return {logits: rows, log_probabilities: rows,
      weights: {shape: [1, 3], data: Float32Array.of(state, token, 1)},
      state: {shape: [1, 1], data: Float32Array.of((3 * state + token) % 11)}};
  }
}
"""


class Formula:
    """The same file in Python."""

    signatures = {"add": ({"x": 0, "state": 0}, {"y": 0, "state": 0})}
    names = ("add",)

    def zeros(self, name):
        state = {"state": np.zeros([1, 1], np.float32)}
        return {"x": np.zeros([1, 2, 1]), **state} if name == "add" else {"token": 0, **state}

    def check(self, name):
        pass

    def reset(self):
        pass

    def run(self, name, **inputs):
        if name == "encode":
            state = np.array([[inputs["ids"].sum() % 7]], np.float32)
            return {"state": state, "kept": np.zeros([1, 3], np.float32)}
        state = inputs["state"][0, 0]
        if name == "add":
            total = inputs["x"].sum() + state
            return {"y": np.array([[2 * total]]), "state": np.array([[total]])}
        token = int(inputs["token"][0])
        logs = np.sin(np.arange(SIZE) * (token + 1) + state).astype(np.float32)[None]
        return {
            "logits": logs,
            "log_probabilities": logs,
            "weights": np.array([[state, token, 1]], np.float32),
            "state": np.array([[(3 * state + token) % 11]], np.float32),
        }


@pytest.fixture
def place(tmp_path, monkeypatch):
    for module in (writer, language, follow):
        monkeypatch.setattr(module, "LiteFile", lambda *_: Formula())
    settings = {"start": 2, "end": 3, "max_length": 12, "banned": [0, 1]}
    for name in ("decode.json", "language.json"):
        (tmp_path / name).write_text(json.dumps(settings))
    return tmp_path / "model.tflite", settings


def test_sentences(place):
    path, settings = place
    program = f"""import {{Writer}} from './writer.mjs';\n{FORMULA}
const answer = (texts) => Promise.all(texts.map(async (ids) => {{
  const writer = new Writer(new Formula(), {json.dumps(settings)});
  const found = [];
  const inputs = {{ids: {{shape: [1, ids.length], data: Int32Array.from(ids)}}}};
  for await (const {{id, weights}} of writer.tokens(inputs)) found.push([id, [...weights]]);
  return found;
}}));"""
    texts = [[4, 5], [6], [1, 1, 2, 8], [0, 0]]
    model = writer.LiteWriter(str(path))
    for ids, found in zip(texts, in_node(program, texts), strict=True):
        expected = model(ids=np.array([ids], np.int32))
        assert [number for number, _ in found] == expected["ids"][0].tolist()
        assert [row for _, row in found] == expected["weights"][0].tolist()
    assert len({len(model(ids=np.array([ids]))["ids"][0]) for ids in texts}) > 2


def test_texts_that_go_on(place):
    path, settings = place
    program = f"""import {{Language}} from './language.mjs';\n{FORMULA}
const answer = (asked) => Promise.all(asked.map(async ([ids, options]) => {{
  const language = new Language(new Formula(), {json.dumps(settings)});
  const found = [];
  for await (const {{id, log}} of language.tokens(ids, options)) found.push([id, log]);
  return found;
}}));"""
    options = [
        {"temperature": 0},
        {"seed": 1},
        {"temperature": 2.0, "topK": 4, "topP": 1, "seed": 7},
        {"topP": 0.5, "seed": 3, "maxLength": 4},
    ]
    asked = [(ids, each) for ids in ([], [5], [4, 8, 6]) for each in options]
    names = {"topK": "top_k", "topP": "top_p", "maxLength": "max_length"}
    model = language.LiteLanguage(str(path))
    for (ids, each), found in zip(asked, in_node(program, asked), strict=True):
        expected = list(model.tokens(ids, **{names.get(k, k): v for k, v in each.items()}))
        assert [number for number, _ in found] == [token for token, _ in expected]
        np.testing.assert_allclose([log for _, log in found], [log for _, log in expected], 1e-5)
        assert expected


def test_streams(place):
    path, _ = place
    program = f"""import {{Follower}} from './follow.mjs';\n{FORMULA}
const answer = async (rows) => {{
  const follower = new Follower(new Formula(), 'add');
  const found = [follower.size];
  const step = async (x) => {{
    const outputs = await follower.step({{x: {{shape: [1, 2, 1], data: Float32Array.from(x)}}}});
    found.push(Object.keys(outputs).length, outputs.y.data[0]);
  }};
  for (const x of rows) await step(x);
  follower.reset();
  await step(rows[0]);
  return found;
}};"""
    rows = [[1, 2], [3, 4], [5, 6]]
    follower = follow.Follower(str(path), "add")
    expected = [follower.size]
    for place_of_row in (0, 1, 2):
        outputs = follower.step(x=np.array(rows[place_of_row], np.float32).reshape(1, 2, 1))
        expected += [len(outputs), float(outputs["y"][0, 0])]
    follower.reset()
    outputs = follower.step(x=np.array(rows[0], np.float32).reshape(1, 2, 1))
    assert in_node(program, rows) == [*expected, 1, float(outputs["y"][0, 0])]
