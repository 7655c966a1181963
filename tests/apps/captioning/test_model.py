"""The model's two forms, and what its loss adds up."""

import base64

import numpy as np
import pytest
import tensorflow as tf

from apps.captioning import data, model
from apps.captioning.config import CaptionDecoder
from rnnsuite.core.weights import copy_weights, named_weights
from rnnsuite.inputs.subword import learn_subwords

WORDS = base64.b64encode(learn_subwords(["a red square", "two red dogs"], 40, "bpe")).decode()
DECODER = CaptionDecoder(units=7, attention_units=4)
SMALL = model.ModelConfig(filters=(4, 8), width=6, embedding=5, decoder=DECODER)
RNG = np.random.default_rng(0)
TARGET = np.array([[[2, 5, 6], [2, 7, 0]], [[2, 8, 9], [0, 0, 0]]], np.int32)
AFTER = np.array([[[5, 6, 3], [7, 3, 0]], [[8, 9, 3], [0, 0, 0]]], np.int32)


def fitted(**changes):
    return data.Fitted(WORDS, "", 20, True, 32, **changes)


@pytest.fixture(scope="module")
def frozen():
    return model.build(SMALL, fitted(backbone="MobileNetV2", frozen=True))


def test_one_picture_and_all_its_captions():
    built, size = model.build(SMALL, fitted()), len(fitted().subwords().pieces)
    found = built({"image": RNG.uniform(0, 255, (2, 32, 32, 3)), "target": TARGET})
    assert found["logits"].shape == (2, 2, 3, size)
    assert found["weights"].shape == (2, 2, 3, 64)
    np.testing.assert_allclose(tf.reduce_sum(found["weights"], axis=-1), 1, atol=1e-5)


def test_the_loss_is_that_of_all_captions_and_of_attention():
    config = model.ModelConfig(label_smoothing=0.0, attention_penalty=0.5)
    outputs = {"logits": tf.zeros([2, 2, 3, 40]), "weights": tf.fill([2, 2, 3, 64], 1 / 64)}
    values = model.loss(config, tf.constant(AFTER), outputs)
    nll = tf.reduce_mean(values["nll"])  # uniform over 40 words, whatever there is to write
    np.testing.assert_allclose(nll, np.log(40), rtol=1e-5)
    spread = [np.mean([(1 - count / 64) ** 2 for count in counts]) for counts in ((3, 2), (3,))]
    np.testing.assert_allclose(values["loss"] - values["nll"], 0.5 * np.array(spread), rtol=1e-5)


def test_a_frozen_backbone_is_saved_and_not_trained(frozen):
    paths = {variable.path for variable in frozen.trainable_variables}
    assert not any("backbone" in path or "Conv" in path for path in paths)
    assert len(frozen.weights) > 200 > len(paths)


def test_features_are_what_the_encoder_makes_of_a_picture(frozen):
    image = RNG.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    features = frozen.get_layer("encoder").get_layer("backbone")(image)
    encoded = frozen.get_layer("encoder")(image)
    expected = frozen.get_layer("decoder")(TARGET, encoded["memory"], encoded["summary"])[0]
    np.testing.assert_allclose(
        frozen({"features": features, "target": TARGET})["logits"], expected, atol=1e-5
    )


def test_fine_tuning_goes_on_from_the_frozen_one(frozen):
    """What train.start does."""
    free = model.build(SMALL, fitted(backbone="MobileNetV2", frozen=False))
    assert len(free.trainable_variables) > 100
    copy_weights(free, {name: weight.numpy() for name, weight in named_weights(frozen).items()})
    image = RNG.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    features = frozen.get_layer("encoder").get_layer("backbone")(image)
    np.testing.assert_allclose(
        free({"image": image, "target": TARGET})["logits"],
        frozen({"features": features, "target": TARGET})["logits"],
        atol=1e-5,
    )
