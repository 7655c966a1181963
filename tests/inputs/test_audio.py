"""Sound in every form that it comes in: the graph, numpy, and the files of libsndfile agree."""

import io
import struct

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device import wave
from rnnsuite.inputs import audio, sound_files, waveform

TONE = (0.5 * np.sin(np.arange(1600) * 0.3)).astype(np.float32)


def wav(samples=TONE, rate=16_000, subtype="PCM_16"):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype=subtype)
    return stream.getvalue()


def both(content):
    """The samples and the rate by numpy, after a look at the graph's."""
    samples, rate = wave.read(content)
    in_graph, same_rate = tf.function(waveform.decode_wav)(tf.constant(content))
    np.testing.assert_allclose(in_graph.numpy(), samples, atol=1e-6)
    assert same_rate.numpy() == rate
    return samples, rate


@pytest.mark.parametrize(
    ("subtype", "bound"),
    [("PCM_U8", 1e-2), ("PCM_16", 1e-4), ("PCM_24", 1e-6), ("PCM_32", 1e-6), ("FLOAT", 1e-7)],
)
def test_every_width(subtype, bound):
    samples, rate = both(wav(subtype=subtype))
    np.testing.assert_allclose(samples, TONE, atol=bound)
    assert rate == 16_000


def test_channels_are_mixed_down():
    samples, _ = both(wav(np.stack([TONE, np.zeros_like(TONE)], axis=1)))
    np.testing.assert_allclose(samples, TONE / 2, atol=1e-4)


def test_other_chunks_and_an_extensible_header():
    content = wav(
        np.stack([TONE] * 3, axis=1), subtype="PCM_24"
    )  # three channels: libsndfile writes the long header
    extra = content[:12] + b"note" + struct.pack("<I", 3) + b"abc\0" + content[12:]
    np.testing.assert_allclose(both(extra)[0], TONE, atol=1e-5)


def test_no_numbers_are_silence_and_what_is_too_loud_is_clipped():
    odd = np.array([0.5, np.nan, np.inf, -np.inf, 3.0, -3.0], np.float32)
    samples, _ = both(wav(odd, subtype="FLOAT"))
    np.testing.assert_array_equal(samples, [0.5, 0, 0, 0, 1, -1])


@pytest.mark.parametrize("kept", [44, 45, 46, 47, 1000])
def test_data_cut_short_gives_what_is_there(kept):
    assert len(both(wav()[:kept])[0]) == (kept - 44) // 2


def test_a_length_that_nobody_knew_when_it_was_written():
    content = bytearray(wav())
    content[40:44] = b"\xff" * 4
    assert len(both(bytes(content))[0]) == 1600


BAD = {
    "nothing": (b"", "no RIFF/WAVE header"),
    "text": (b"hello, I am a text file called .wav", "no RIFF/WAVE header"),
    "header cut": (wav()[:30], "cut short"),
    "header only": (wav()[:12], "cut short"),
    "no channel": (wav()[:22] + b"\0\0" + wav()[24:], "only"),
    "no rate": (wav()[:24] + b"\0\0\0\0" + wav()[28:], "rate"),
    "a rate beyond all sense": (wav()[:24] + b"\xff\xff\xff\x7f" + wav()[28:], "rate"),
    "mu-law": (wav(subtype="ULAW"), "only"),
    "64-bit": (wav(subtype="DOUBLE"), "only"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_wav_is_told_in_both(case):
    content, said = BAD[case]
    with pytest.raises(ValueError, match=said):
        wave.read(content)
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        tf.function(waveform.decode_wav)(tf.constant(content))


@pytest.mark.parametrize("case", BAD)
def test_nothing_is_computed_from_a_header_that_is_refused(case):
    """An assertion alone does not wait: what a false rate asks for once filled the memory before it
    was refused.
    """
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.function(lambda content: waveform.clip(content, 16_000))(tf.constant(BAD[case][0]))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_the_highest_rate_is_heard():
    content = wave.write(
        0.3 * np.sin(np.arange(wave.HIGHEST_RATE) * 0.01).astype("float32"), wave.HIGHEST_RATE
    )
    np.testing.assert_allclose(
        waveform.clip(tf.constant(content), 16_000), wave.clip(content, 16_000), atol=1e-4
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 60))
def test_any_bytes_are_read_alike_or_refused_alike(junk, start, length):
    content = wav(TONE[:10])
    content = content[:start] + junk + content[start + length :]
    try:
        expected = wave.read(content)[0]
    except ValueError:
        with pytest.raises(tf.errors.InvalidArgumentError):
            _decode(content)
        return
    np.testing.assert_allclose(_decode(content)[0].numpy(), expected, atol=1e-6)


_decode = tf.function(waveform.decode_wav, input_signature=[tf.TensorSpec([], tf.string)])


def test_written_and_read_again():
    samples, rate = wave.read(wave.write(TONE, 8000))
    np.testing.assert_allclose(samples, TONE, atol=1e-4)
    assert rate == 8000


def test_a_short_clip_is_followed_by_silence_and_of_a_long_one_the_loudest_part_is_kept():
    short = wave.fit(TONE, 2000)
    np.testing.assert_array_equal(short[:1600], TONE)
    assert not short[1600:].any()
    long = np.concatenate([0.01 * np.ones(5000), TONE, 0.01 * np.ones(7000)]).astype(np.float32)
    assert np.abs(wave.fit(long, 1600)).max() > 0.45
    for samples in (TONE, long, long[:1601], np.zeros(0, np.float32), np.zeros(1, np.float32)):
        for count in (1600, 2000, 100):
            np.testing.assert_array_equal(
                waveform.fit(tf.constant(samples), count).numpy(), wave.fit(samples, count)
            )


def test_silence_behind_changes_nothing():
    for samples in (TONE, np.concatenate([TONE, TONE])):
        padded = np.pad(samples, (0, 5000))
        np.testing.assert_array_equal(wave.fit(samples, 1600), wave.fit(padded, 1600))


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_other_rates_sound_the_same(rate):
    times = np.arange(rate) / rate
    sound = (0.4 * np.sin(2 * np.pi * 440 * times) + 0.2 * np.sin(2 * np.pi * 3000 * times)).astype(
        np.float32
    )
    at_16k = np.arange(16_000) / 16_000
    expected = 0.4 * np.sin(2 * np.pi * 440 * at_16k) + 0.2 * np.sin(2 * np.pi * 3000 * at_16k)
    found = wave.clip(wav(sound, rate, "FLOAT"), 16_000)
    np.testing.assert_allclose(found[400:-400], expected[400:-400], atol=5e-3)
    in_graph = waveform.clip(tf.constant(wav(sound, rate, "FLOAT")), 16_000)
    np.testing.assert_allclose(in_graph.numpy(), found, atol=1e-4)


def test_what_a_lower_rate_cannot_hold_is_filtered_out():
    sound = np.sin(2 * np.pi * 11_000 * np.arange(44_100) / 44_100).astype(np.float32)
    assert np.abs(wave.resample(sound, 44_100, 16_000)[400:-400]).max() < 0.01


def test_log_mel_against_numpy():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=[2, 3200]).astype(np.float32)
    found = audio.LogMel(40)(samples).numpy()
    padded = np.pad(samples, ((0, 0), (240, 0)))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    mel = audio.LogMel(40).filters
    assert found.shape == (2, 20, 40)
    for frame in range(20):
        spectrum = np.fft.rfft(padded[:, 160 * frame : 160 * frame + 400] * window, 512)
        np.testing.assert_allclose(
            found[:, frame], np.log(np.abs(spectrum) ** 2 @ mel + 1e-6), atol=1e-3
        )


def test_mel_filters_are_triangles_even_in_mel():
    mel = audio.LogMel(40).filters
    centres = 2595 * np.log10(1 + np.argmax(mel, axis=0) * 16_000 / 512 / 700)
    assert (np.diff(centres) >= 0).all()
    assert mel.max() <= 1
    assert not mel[-12:].any()  # above 7,600 Hz


def test_mfcc_are_the_dct_of_log_mel():
    from scipy.fft import dct

    samples = np.random.default_rng(0).normal(size=[1, 1600]).astype(np.float32)
    np.testing.assert_allclose(
        audio.LogMel(40, 13)(samples),
        dct(audio.LogMel(40)(samples).numpy(), norm="ortho")[..., :13],
        atol=1e-3,
    )


@pytest.mark.parametrize("kind", ["fixed", "running"])
def test_pieces_give_what_the_whole_gives(kind):
    rng = np.random.default_rng(0)
    samples = rng.normal(size=[2, 3200]).astype(np.float32)
    features, normalised = (
        audio.LogMel(20),
        audio.FeatureNormalization(kind, rng.normal(size=20), np.full(20, 2.0), steps=7.0),
    )
    whole = normalised(features(samples)).numpy()
    states = {"samples": tf.zeros([2, 240])}, {"mean": tf.zeros([2, 20])}
    found = []
    for piece in np.split(samples, 5, axis=1):
        x, first = features.stream(tf.constant(piece), states[0])
        x, second = normalised.stream(x, states[1])
        states = first, second
        found.append(x.numpy())
    np.testing.assert_allclose(np.concatenate(found, axis=1), whole, atol=1e-4)


def test_a_running_mean_is_the_recurrence():
    x = np.random.default_rng(0).normal(size=[1, 30, 3]).astype(np.float32)
    found = audio.FeatureNormalization("running", [0.5, 0.0, -1.0], [2.0, 1.0, 1.0], steps=5.0)(
        x
    ).numpy()
    mean, kept = np.array([0.5, 0.0, -1.0]), np.exp(-1 / 5)
    for step in range(30):
        mean = kept * mean + (1 - kept) * x[0, step]
        np.testing.assert_allclose(found[0, step], (x[0, step] - mean) / [2, 1, 1], atol=1e-5)


def test_a_clips_own_mean_has_no_stream():
    layer = audio.FeatureNormalization("clip", [0.0], [1.0])
    assert (
        np.abs(layer(np.random.default_rng(0).normal(size=[2, 9, 1])).numpy().mean(axis=1)).max()
        < 1e-6
    )
    with pytest.raises(ValueError, match="no stream"):
        layer.stream(tf.zeros([1, 2, 1]), {})


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_a_long_recording_in_blocks_is_the_whole(tmp_path, rate):
    sound = 0.1 * np.cumsum(np.random.default_rng(0).normal(size=int(2.7 * rate))).astype(
        np.float32
    )
    sound = np.clip(np.sin(sound), -0.9, 0.9)
    soundfile.write(tmp_path / "a.flac", sound, rate)
    found = np.concatenate(list(sound_files.blocks(tmp_path / "a.flac", 320)))
    assert len(found) == -(-int(2.7 * 16_000) // 320) * 320
    stored = soundfile.read(tmp_path / "a.flac", dtype="float32")[0]
    expected = wave.resample(stored, rate, int(2.7 * 16_000))
    np.testing.assert_allclose(found[: len(expected) - 800], expected[:-800], atol=2e-3)


def test_files_that_are_no_sound(tmp_path):
    (tmp_path / "a.wav").write_text("hello")
    (tmp_path / "b.wav").write_bytes(wav(TONE[:0]))
    (tmp_path / "c.wav").write_bytes(wav(np.array([0.1, np.nan], np.float32), subtype="FLOAT"))
    (tmp_path / "d.wav").write_bytes(wav())
    assert "not a sound file" in sound_files.check(tmp_path / "a.wav")
    assert sound_files.check(tmp_path / "b.wav") == "no samples"
    assert "no numbers" in sound_files.check(tmp_path / "c.wav")
    assert sound_files.check(tmp_path / "d.wav") is None
    with pytest.raises(ValueError, match=r"a\.wav|Format|unknown|understood|Error"):
        list(sound_files.blocks(tmp_path / "a.wav", 320))
