"""The trained sample model asked in every way."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the text operations
from click.testing import CliRunner

from apps.translation import serve
from apps.translation.sample import pairs
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.device import writer
from rnnsuite.device.runner import RUNTIMES
from rnnsuite.pipeline.export import parity
from rnnsuite.pipeline.inference import saved_model
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.run import Run
from tests.conftest import train_and_export
from tests.processes import python_forked

TEST = [english for split, english, _ in pairs() if split == "test"]
TEXTS = sorted(TEST[:200], key=len)[::7]  # of mixed lengths


@pytest.fixture(scope="module")
def translation(tmp_path_factory, _cache):
    return train_and_export("translation", tmp_path_factory)


@pytest.fixture(scope="module")
def served(translation):
    return translation.open("saved_model")


def ask(model, *texts, signature="serving_default", **options):
    return model.answer([{"text": text} for text in texts], signature, options)


def test_alone_in_a_batch_and_after_others_the_same(served):
    together = ask(served, *TEXTS)
    for number in (0, len(TEXTS) // 2, len(TEXTS) - 1):
        alone = ask(served, TEXTS[number])
        assert alone["text"][0] == together["text"][number]
        assert alone["score"][0] == pytest.approx(together["score"][number], abs=1e-4)


def test_settings_are_heard(served):
    found = ask(served, TEXTS[-1], signature="nbest", beam=3)
    assert found["text"].shape == (1, 3)
    plain = ask(served, TEXTS[-1], signature="nbest", length_penalty=0.0)["score"][0, 0]
    assert plain != pytest.approx(
        ask(served, TEXTS[-1], signature="nbest", length_penalty=1.0)["score"][0, 0], abs=1e-3
    )


def test_a_beam_larger_than_the_vocabulary_in_the_configuration(translation):
    with pytest.raises(UserError, match=r"decode\.beam: 9999 is more than"):
        Run(translation.app, translation.run).signatures(["decode.beam=9999"])


def test_alignment_of_each_target_subword(served):
    found = ask(served, *TEXTS[:6], signature="align")
    best = ask(served, *TEXTS[:6])
    np.testing.assert_array_equal(found["text"], best["text"])
    for tokens, written, weights, text in zip(
        found["source_tokens"], found["target_tokens"], found["weights"], found["text"], strict=True
    ):
        there, said = tokens != b"", written != b""
        np.testing.assert_allclose(weights[said].sum(-1), 1, atol=1e-4)
        np.testing.assert_array_equal(weights[:, ~there], 0)
        np.testing.assert_array_equal(weights[~said], 0)
        is_ended = written[said][-1] == b"</s>"
        assert is_ended or said.sum() == 12  # decode.max_length
        joined = (
            b"".join(written[said][: -1 if is_ended else None])
            .decode()
            .replace("\u2581", " ")
            .strip()
        )
        assert joined == text.decode().strip()


ODD = {
    "empty": "",
    "spaces": " \t ",
    "nul": "\0",
    "a thousand words": "the dog sees the cat " * 200,
    "a script never seen": "日本語の文章です。",
    "control characters": "The \x07dog\x1b sees\r\n the cat.",
    "bytes": b"\xff\xfe\x00",
    "one word of 1 MB": "x" * 1_000_000,
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("signature", ["serving_default", "greedy", "align"])
def test_any_text_is_answered_within_the_maximum(served, kind, signature):
    found = ask(served, ODD[kind], TEXTS[0], signature=signature)
    assert found["text"][1] == ask(served, TEXTS[0], signature=signature)["text"][0]
    assert np.isfinite(found["score"]).all()
    assert len(found["text"][0].decode().split()) <= 100
    if kind in ("empty", "spaces", "nul"):
        assert found["text"][0] == b""
        assert found["score"][0] == 0


def test_controls_divide_words_like_spaces(served):
    found = ask(served, ODD["control characters"], "The dog sees the cat.")
    assert found["text"][0] == found["text"][1] != b""


def test_a_batch_of_nothing_and_no_batch(served, translation):
    assert ask(served, "", "")["text"].tolist() == [b"", b""]
    loaded = tf.saved_model.load(str(translation.saved_model))
    for name in ("serving_default", "greedy"):
        assert loaded.signatures[name](text=tf.constant([], tf.string))["text"].shape == (0,)


def test_defaults_are_in_the_signature_for_tf_serving(translation):
    defaults = saved_model._defaults(translation.saved_model)
    assert defaults["nbest"] == {"beam": 3, "length_penalty": 1.0, "coverage_penalty": 0.0}
    assert set(defaults["sample"]) == {"temperature", "top_k", "top_p", "seed"}
    assert defaults["serving_default"] == {}  # so that TF Serving can put requests together


def test_only_operations_of_tensorflow_and_tf_text(translation):
    """In a process that knows nothing else, every operation of the graph is registered."""
    program = (
        "import sys, tensorflow as tf\n"
        "from tensorflow.core.protobuf import saved_model_pb2\n"
        "from tensorflow.python.framework import op_def_registry\n"
        "import tensorflow_text\n"
        f"raw = open({str(translation.saved_model / 'saved_model.pb')!r}, 'rb').read()\n"
        "graph = saved_model_pb2.SavedModel.FromString(raw).meta_graphs[0].graph_def\n"
        "used = {n.op for n in graph.node} | {n.op for f in graph.library.function for n in "
        "f.node_def}\n"
        "names = {f.signature.name for f in graph.library.function}\n"
        "unknown = [op for op in used - names if op_def_registry.get(op) is None]\n"
        "assert not unknown, unknown\n"
        "assert not any('Cudnn' in op or 'Xla' in op or 'PyFunc' in op for op in used), used\n"
    )
    status, said = python_forked(["-I", "-c", program])
    assert status == 0, said[-2000:]


def test_the_device_writes_the_tokens_of_greedy(translation, tmp_path):
    records = [{"text": text} for text in [*TEXTS, "", "日本語"]]
    greedy = translation.open("run").answer(records, "greedy")
    found = parity.ask_lite(translation.app, translation.lite / "float32.tflite", records, tmp_path)
    assert found["text"].tolist() == greedy["text"].tolist()
    assert found["text"][-2] == b""


def test_the_reference_loop_stops_at_the_maximum_and_starts_anew(translation, tmp_path):
    path = translation.lite / "float32.tflite"
    model, request = (
        writer.LiteWriter(str(path)),
        serve.open_device(translation.lite).request({"text": TEXTS[-1]}),
    )
    first, second = model(**request), model(**request)
    np.testing.assert_array_equal(first["ids"], second["ids"])
    np.testing.assert_allclose(first["weights"], second["weights"], atol=1e-6)
    np.testing.assert_allclose(first["weights"].sum(-1), 1, atol=1e-4)
    model.max_length = 3
    assert model(**request)["ids"].tolist() == [first["ids"][0, :3].tolist()]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_padding_of_static_shapes_is_not_attended(translation, runtime):
    """The encoder and the decoder's step are of one length; the sentence is shorter."""
    portable = writer.LiteWriter(str(translation.lite / "portable_dynamic.tflite"), runtime=runtime)
    assert portable.file.names == ["encode", "step"]
    exact = writer.LiteWriter(str(translation.lite / "dynamic.tflite"))
    device = serve.open_device(translation.lite)
    for text in [TEXTS[-1], TEXTS[0], ""]:
        request = device.request({"text": text})
        expected, found = (model(**request) for model in (exact, portable))
        np.testing.assert_array_equal(found["ids"], expected["ids"])
        np.testing.assert_allclose(found["weights"], expected["weights"], atol=1e-4)
    longest = max(portable.file.lengths("encode"))
    with pytest.raises(ValueError, match=f"encode takes at most {longest} steps"):
        portable(ids=np.full([1, longest + 1], 5, np.int32))


def test_the_files_beside_the_device_model_are_enough(translation):
    """A process with ai-edge-litert and numpy, in the moved folder, with nothing of ours."""
    program = (
        "import sys, json, pathlib\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from tokenizer import Tokenizer\n"
        "from writer import LiteWriter\n"
        "import numpy as np\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "settings = json.loads((folder / 'decode.json').read_text())\n"
        "tokenizer = Tokenizer.load(folder / settings['source'], settings['max_tokens'])\n"
        "ids = np.array([tokenizer(sys.argv[2])], np.int32)\n"
        "print(tokenizer.text(LiteWriter(str(folder / "
        "'float32.tflite'))(ids=ids)['ids'][0].tolist()))\n"
        "assert not {'tensorflow', 'keras', 'rnnsuite', 'apps'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-I", "-c", program, str(translation.lite), TEXTS[5]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = ask(translation.open("run"), TEXTS[5], signature="greedy")["text"][0]
    assert done.stdout.strip() == expected.decode()


def test_from_the_shell(translation):
    command = [
        "predict",
        "translation",
        "--model",
        str(translation.saved_model),
        "--signature",
        "nbest",
        "--json",
    ]
    done = CliRunner().invoke(main, [*command, "--option", "beam=2", TEXTS[0]])
    answer = json.loads(done.stdout)["answers"][0]
    assert done.exit_code == 0
    assert len(answer["text"]) == len(answer["score"]) == 2
    refused = CliRunner().invoke(main, [*command, "--option", "beam=0", TEXTS[0]])
    assert refused.exit_code == 2
    assert "beam must be from 1" in refused.output


def test_a_runs_search_may_be_changed_and_an_exports_not(translation):
    plain = evaluate(translation.app, translation.run, split="validation").score.metrics
    one = evaluate(
        translation.app, translation.run, split="validation", overrides=["decode.beam=1"]
    ).score.metrics
    assert plain != one
    with pytest.raises(
        UserError, match=r"answers as it was exported; decode\.beam=1 holds for a run only"
    ):
        evaluate(translation.app, translation.saved_model, overrides=["decode.beam=1"])


def test_warmup_asks_every_signature(translation):
    loaded = tf.saved_model.load(str(translation.saved_model))
    assert set(loaded.signatures) == {
        "serving_default",
        "greedy",
        "nbest",
        "sample",
        "align",
        "encode",
        "step",
    }
