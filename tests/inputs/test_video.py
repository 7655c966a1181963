"""Videos, as files and as bytes in a graph."""

import io
import sys

import av
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rnnsuite.core.errors import UserError
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.inputs import video, video_files
from rnnsuite.inputs.video import FrameFeatures
from rnnsuite.layers.backbone import Backbone

PIXELS = VideoConfig(backbone="pixels", size=8, frames=4)


def shades(count, side=16):
    """Frames that become lighter."""
    levels = np.linspace(20, 230, count)
    return [np.full([side, side, 3], level, np.uint8) for level in levels]


def gif(frames):
    stream = io.BytesIO()
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(stream, "GIF", save_all=True, append_images=pictures[1:])
    return stream.getvalue()


def png(frame):
    return tf.io.encode_png(frame).numpy()


def film(path, frames, codec="mpeg4"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width = stream.height = frames[0].shape[0]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


@settings(max_examples=50, deadline=None)
@given(total=st.integers(1, 300), count=st.integers(1, 40))
def test_frames_are_chosen_evenly_with_both_ends(total, count):
    places = video.evenly(tf.constant(total), count).numpy()
    assert len(places) == min(total, count)
    assert places[0] == 0
    if len(places) > 1:
        assert places[-1] == total - 1
        assert np.ptp(np.diff(places)) <= 1
        assert np.diff(places).min() >= 1


class TestFrameFeatures:
    def test_a_gif_its_frames_and_a_batch_of_both_are_one(self):
        features = FrameFeatures(PIXELS)
        frames = shades(3)
        alone = features.of_gifs(tf.constant([gif(frames)]))
        assert alone.shape == (1, 4, 192)
        np.testing.assert_array_equal(alone[0, 3], 0)
        levels = [frame[0, 0, 0] / 255 for frame in frames]
        np.testing.assert_allclose(alone[0, :3].numpy().mean(axis=1), levels, atol=0.01)
        together = features.of_gifs(tf.constant([gif(shades(9)), gif(frames)]))
        np.testing.assert_allclose(together[1], alone[0], atol=1e-6)
        files = [png(frame) for frame in frames]
        pictures = features.of_pictures(tf.constant([[*files, b""]]))
        np.testing.assert_allclose(pictures, alone, atol=0.01)

    def test_a_network_s_last_map_is_averaged(self, tmp_path):
        backbone = Backbone("MobileNetV3Small", 32)
        backbone.network.save_weights(tmp_path / "w.weights.h5")
        config = VideoConfig(
            backbone="MobileNetV3Small", size=32, frames=2, weights=str(tmp_path / "w.weights.h5")
        )
        features = FrameFeatures(config)
        frames = tf.constant(np.stack(shades(2, 32)), tf.float32)
        expected = backbone(frames).numpy().mean(axis=(1, 2))
        np.testing.assert_allclose(features(frames), expected, atol=1e-4)
        assert features.width == expected.shape[1]

    @pytest.mark.parametrize("content", [b"", b"no gif", b"GIF89a", gif(shades(3))[:60]])
    def test_bytes_that_are_no_gif(self, content):
        with pytest.raises(tf.errors.InvalidArgumentError):
            FrameFeatures(PIXELS).of_gifs(tf.constant([content]))

    def test_networks_that_there_are_not(self):
        with pytest.raises(UserError, match=r"unknown network 'Pixels'.* Did you mean pixels"):
            FrameFeatures(VideoConfig(backbone="Pixels"))
        with pytest.raises(UserError, match=r"Give a file with data\.video\.weights"):
            FrameFeatures(VideoConfig(backbone="MobileNetV3Small", size=32, weights="/no/file"))


class TestFiles:
    def read(self, path, count=4):
        return video_files.read(path, count)

    def test_frames_evenly_whatever_the_file_is_called(self, tmp_path):
        film(tmp_path / "a.avi", shades(40))
        (tmp_path / "a.avi").rename(tmp_path / "a.txt")
        frames = self.read(tmp_path / "a.txt")
        assert frames.shape == (4, 16, 16, 3)
        levels = frames.mean(axis=(1, 2, 3))
        np.testing.assert_allclose(levels, [20, 90, 160, 230], atol=25)

    def test_few_frames_and_one(self, tmp_path):
        assert len(self.read(film(tmp_path / "a.mp4", shades(3)))) == 3
        assert len(self.read(film(tmp_path / "b.mp4", shades(1)), 9)) == 1

    def test_a_gif_is_a_video(self, tmp_path):
        (tmp_path / "a.gif").write_bytes(gif(shades(5)))
        assert len(self.read(tmp_path / "a.gif")) == 4

    def test_one_that_breaks_off(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 255, size=[40, 64, 64, 3], dtype=np.uint8)
        path = film(tmp_path / "a.avi", list(noise))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(
            UserError, match=r"breaks off after \d+ of 40|cannot be read as a video"
        ):
            self.read(path)
        path = film(tmp_path / "b.mp4", list(noise))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(UserError, match="cannot be read as a video"):
            self.read(path)

    def test_a_false_extension(self, tmp_path):
        (tmp_path / "a.mp4").write_text("not a film")
        with pytest.raises(UserError, match=r"a\.mp4 cannot be read as a video"):
            self.read(tmp_path / "a.mp4")

    def test_sound_alone(self, tmp_path):
        import soundfile

        soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
        with pytest.raises(UserError, match="has no video stream"):
            self.read(tmp_path / "a.wav")

    def test_features_are_kept_on_disk(self, tmp_path, monkeypatch):
        reader = video_files.VideoReader(PIXELS)
        path = film(tmp_path / "a.avi", shades(6))
        expected = reader(path)
        assert expected.shape == (4, 192)
        monkeypatch.setattr(video_files, "read", None)
        np.testing.assert_array_equal(video_files.VideoReader(PIXELS)(path), expected)

    def test_what_is_needed_is_said_before(self, monkeypatch):
        with pytest.raises(UserError, match=r"data\.video\.backbone says what makes features"):
            video_files.VideoReader(VideoConfig())
        monkeypatch.setitem(sys.modules, "av", None)
        with pytest.raises(UserError, match=r"pip install 'rnnsuite\[video\]'"):
            video_files.VideoReader(PIXELS)
