import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers import LockedDropout, Pooling, RegionEmbedding, TokenDropout
from rnnsuite.layers.pooling import KINDS


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def expected(kind, steps, layer):
    """One row's pooled vector, from its unmasked steps alone."""
    if not len(steps):
        return np.zeros(steps.shape[1])
    if kind == "attentive":
        projection, bias, query = layer.get_weights()
        return softmax((np.tanh(steps @ projection + bias) @ query)[:, 0]) @ steps
    return {"last": steps[-1], "mean": steps.mean(0), "max": steps.max(0)}[kind]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(batch=st.integers(1, 4), time=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_equals_numpy_for_any_mask_and_ignores_nan_in_the_padding(kind, batch, time, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=[batch, time, 3]).astype("float32")
    mask = rng.random([batch, time]) < 0.6
    layer = Pooling(kind, return_weights=True)
    layer.build(x.shape)
    found, weights = layer(np.where(mask[..., None], x, np.nan).astype("float32"), mask=mask)
    for row in range(batch):
        np.testing.assert_allclose(found[row], expected(kind, x[row][mask[row]], layer), atol=1e-5)
        np.testing.assert_allclose(np.sum(weights[row]), 1.0 if mask[row].any() else 0.0, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(weights)[~mask], 0)


def test_without_a_mask_every_step_counts():
    x = np.random.default_rng(0).normal(size=[2, 4, 3]).astype("float32")
    np.testing.assert_allclose(Pooling("mean")(x), x.mean(1), atol=1e-6)


def test_unknown_kind():
    with pytest.raises(ValueError, match="last, mean, max, attentive"):
        Pooling("min")


def test_locked_dropout_keeps_one_mask_for_all_steps():
    keras.utils.set_random_seed(0)
    found = np.asarray(LockedDropout(0.5)(np.ones([8, 6, 10], "float32"), training=True))
    assert set(np.unique(found)) == {0.0, 2.0}
    np.testing.assert_array_equal(found, np.repeat(found[:, :1], 6, axis=1))
    assert len({row.tobytes() for row in found}) > 1
    np.testing.assert_array_equal(LockedDropout(0.5)(np.ones([2, 3, 4])), 1)


def test_token_dropout_drops_whole_steps():
    keras.utils.set_random_seed(0)
    found = np.asarray(TokenDropout(0.3)(np.ones([50, 40, 5], "float32"), training=True))
    assert set(np.unique(found)) == {0.0, 1.0}
    np.testing.assert_array_equal(found, np.repeat(found[..., :1], 5, axis=-1))
    assert 0.25 < 1 - found.mean() < 0.35
    np.testing.assert_array_equal(TokenDropout(0.3)(np.ones([2, 3, 4])), 1)


def test_region_embedding_is_a_masked_residual_convolution():
    rng = np.random.default_rng(0)
    x = rng.normal(size=[1, 5, 4]).astype("float32")
    layer = RegionEmbedding(3)
    layer.build(x.shape)
    kernel, bias = layer.get_weights()
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0)])
    around = np.stack(
        [sum(padded[0, t + k] @ kernel[k] for k in range(3)) + bias for t in range(5)]
    )
    np.testing.assert_allclose(layer(x)[0], x[0] + np.maximum(around, 0), atol=1e-5)
    longer = np.concatenate([x, np.full([1, 2, 4], np.nan, "float32")], axis=1)
    masked = layer(longer, mask=np.array([[True] * 5 + [False] * 2]))
    np.testing.assert_allclose(masked[:, :5], layer(x), atol=1e-6)
