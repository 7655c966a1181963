"""Sounds of any length: in a graph as on a device, from files as they are followed."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.device import wave
from rnnsuite.inputs import sound_files, waveform


def tone(seconds, rate):
    return 0.3 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("seconds", [0.0, 0.013, 0.5])
def test_all_samples_in_whole_grains(rate, seconds):
    content = wave.write(tone(seconds, rate), rate)
    on_device = wave.whole(content, 640)
    in_graph = waveform.whole(tf.constant(content), 640).numpy()
    np.testing.assert_allclose(on_device, in_graph, atol=1e-5)
    assert len(on_device) % 640 == 0
    assert 0 <= len(on_device) - seconds * wave.RATE <= 641
    if seconds == 0.5:
        inside = slice(200, 7800)
        np.testing.assert_allclose(on_device[inside], tone(0.5, wave.RATE)[inside], atol=1e-2)


def test_no_sound_at_all():
    with pytest.raises(ValueError, match=r"not a WAV file"):
        wave.whole(b"no sound", 640)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not a WAV file"):
        waveform.whole(tf.constant(b"no sound"), 640)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_file_is_read_as_wav(tmp_path, name):
    soundfile.write(tmp_path / name, tone(0.5, 16_000), 16_000)
    samples, rate = wave.read(sound_files.read_sound(tmp_path / name))
    assert rate == 16_000
    np.testing.assert_allclose(samples, tone(0.5, 16_000), atol=0.05)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="There is no sound file"):
        sound_files.read_sound(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(UserError, match=r"text\.wav"):
        sound_files.read_sound(tmp_path / "text.wav")
    with pytest.raises(UserError, match="There is no sound file"):
        next(sound_files.followed(str(tmp_path / "none.wav"), 320))
    with pytest.raises(UserError, match=r"text\.wav"):
        list(sound_files.followed(str(tmp_path / "text.wav"), 320))


def test_a_file_is_followed_in_blocks(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(0.5, 8000), 8000)
    blocks = list(sound_files.followed(str(tmp_path / "a.wav"), 1000))
    assert {block.shape for block in blocks} == {(1000,)}
    assert len(blocks) == 8
