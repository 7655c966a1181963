"""How the trained application is asked, and its cheap rival."""

import numpy as np
import pytest

from apps.video_captioning import floor, score
from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import fitted_of
from tests.conftest import train_and_export

APP = catalog.find("video_captioning")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("video_captioning", tmp_path_factory)


@pytest.fixture(scope="module")
def records(finished):
    return collect(APP.data.load(data_section(APP, finished.run, None), "test"), 6)


def test_videos_of_different_lengths_share_a_batch(finished, records):
    import tensorflow as tf

    served = tf.saved_model.load(str(finished.saved_model)).signatures["serving_default"]
    features = [record["features"] for record in records]
    longest = max(map(len, features)) + 2
    padded = [np.pad(rows, ((0, longest - len(rows)), (0, 0))) for rows in features]
    together = served(features=tf.constant(np.stack(padded)))
    for number, rows in enumerate(features):
        alone = served(features=tf.constant(rows[None]))
        assert together["caption"][number] == alone["caption"][0]
        np.testing.assert_allclose(together["score"][number], alone["score"][0], atol=1e-4)


def test_no_frame_has_no_caption_and_impossible_numbers_are_refused(finished, records):
    model = finished.open("saved_model")
    nothing = model.answer([{"features": np.zeros_like(records[0]["features"])}])
    assert nothing["caption"][0] == b""
    assert nothing["score"][0] == 0
    with pytest.raises(Exception, match="features must be finite"):
        model.answer([{"features": np.full([3, 768], np.nan, "float32")}])


def test_every_word_shares_its_attention_among_the_frames_there_are(finished, records):
    features = np.pad(records[0]["features"], ((0, 3), (0, 0)))
    said = finished.open("run").answer([{"features": features}], "attend")
    weights = np.asarray(said["weights"][0])
    np.testing.assert_array_equal(weights[:, -3:], 0)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)


def test_attention_is_drawn_frame_by_frame(records):
    def ask(asked, signature):
        assert signature == "attend"
        return {"words": np.array([["▁a".encode(), b"."]], object), "weights": np.eye(2)[None]}

    figure = score.figures(ask, records)["Attention 1"]()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "."]


class TestFloor:
    def test_the_nearest_video_by_the_angle_of_its_mean_frame(self):
        features = np.array([[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]])
        np.testing.assert_allclose(floor.mean_frame(features), [0.6, 0.8])
        assert np.isfinite(floor.mean_frame(np.zeros([2, 2]))).all()

    def test_it_stands_beside_the_model(self, finished):
        evaluation = evaluate(APP, finished.run, split="test")
        assert evaluation.floor["model"] == "caption of the nearest training video"
        assert 0 < evaluation.floor["bleu_4"] <= 1


def test_of_another_width_nothing_is_scored(finished, records):
    fitted = fitted_of(APP, finished.run)
    with pytest.raises(UserError, match="a frame has 5 features, and the model reads 768"):
        score.score([{**records[0], "features": np.ones([2, 5])}], {}, fitted)


def test_a_gif_has_the_caption_of_its_features(finished, records):
    import io

    import tensorflow as tf
    from PIL import Image

    served = tf.saved_model.load(str(finished.saved_model)).signatures
    frames = (records[0]["features"].reshape(-1, 16, 16, 3) * 255).round().astype(np.uint8)
    files = [tf.io.encode_png(frame).numpy() for frame in frames]
    features = tf.constant(frames.reshape(1, len(frames), -1) / 255.0, tf.float32)
    expected = served["serving_default"](features=features)
    found = served["frames"](frames=tf.constant([[*files, b""]]))
    assert found["caption"][0] == expected["caption"][0]
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-4)
    stream = io.BytesIO()
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(stream, "GIF", save_all=True, append_images=pictures[1:])
    assert served["gif"](video=tf.constant([stream.getvalue()]))["caption"].shape == (1,)
