"""Pictures and captions from every layout, and everything that can be wrong with them."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from apps.captioning import APP, data
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches
from rnnsuite.data.records import collect
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.evaluate import evaluate, has_splits
from tests.conftest import FIXTURES

SAID = ("A red square .", "There is a red square .")


def picture(shade=100, kind="JPEG", side=20):
    stream = io.BytesIO()
    Image.fromarray(np.full([side, side, 3], shade, np.uint8)).save(stream, kind)
    return stream.getvalue()


def written(folder, *names, inside="images"):
    (folder / inside).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / inside / name).write_bytes(picture(20 * number + 5))


def settings(source, *overrides):
    return configuration.load(
        APP, "sample", [f"data.source={source}", "data.colour=0.0", *overrides]
    ).data


def load(source, split, *overrides):
    return collect(data.load(settings(source, *overrides), split))


def names(source, split, *overrides):
    return [record["name"].decode() for record in load(source, split, *overrides)]


def karpathy(folder, entries):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "captions.json").write_text(json.dumps({"dataset": "mine", "images": entries}))


def entry(name, split="train", said=SAID):
    return {"filename": name, "split": split, "sentences": [{"raw": caption} for caption in said]}


class TestLayouts:
    def test_karpathy_with_its_splits(self, tmp_path):
        written(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
        split = zip("abcd", ("train", "restval", "val", "test"), strict=True)
        karpathy(tmp_path, [entry(f"{name}.jpg", where) for name, where in split])
        assert [names(tmp_path, each) for each in ("train", "validation", "test")] == [
            ["a.jpg", "b.jpg"],
            ["c.jpg"],
            ["d.jpg"],
        ]
        record = load(tmp_path, "validation")[0]
        assert record["image"] == (tmp_path / "images" / "c.jpg").read_bytes()
        assert record["captions"].tolist() == [caption.encode() for caption in SAID]

    def test_plain_lists_of_file_and_captions(self, tmp_path):
        written(tmp_path, *(f"{number}.jpg" for number in range(12)))
        entries = [
            {"file": f"{number}.jpg", "captions": list(SAID)[: 1 + number % 2]}
            for number in range(12)
        ]
        (tmp_path / "captions.json").write_text(json.dumps(entries))
        assert len(load(tmp_path, "all")) == 12
        train, held = (
            set(names(tmp_path, split, "data.validation=0.4")) for split in ("train", "validation")
        )
        assert train | held == {f"{number}.jpg" for number in range(12)}
        assert not train & held
        assert held
        assert train

    def test_paths_within_and_the_file_itself_as_the_source(self, tmp_path):
        written(tmp_path, "a.jpg", inside="images/val2014")
        karpathy(tmp_path, [{**entry("a.jpg", "test"), "filepath": "val2014"}])
        assert names(tmp_path / "captions.json", "test") == ["a.jpg"]

    def test_cocos_own(self, tmp_path):
        (tmp_path / "annotations").mkdir()
        for split, name in (("train2017", "a.jpg"), ("val2017", "b.jpg")):
            written(tmp_path, name, inside=split)
            content = {
                "images": [{"id": 7, "file_name": name}],
                "annotations": [{"image_id": 7, "caption": caption} for caption in SAID],
            }
            (tmp_path / "annotations" / f"captions_{split}.json").write_text(json.dumps(content))
        assert names(tmp_path, "train") == ["a.jpg"]
        assert names(tmp_path, "validation") == ["b.jpg"]
        assert len(load(tmp_path, "train")[0]["captions"]) == 2

    def test_flickr8k(self, tmp_path):
        written(tmp_path, "a.jpg", "b.jpg", "c.jpg", inside="Flicker8k_Dataset")
        lines = [
            f"{name}.jpg#{number}\t{caption}"
            for name in "abc"
            for number, caption in enumerate(SAID)
        ]
        (tmp_path / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
        assert names(tmp_path, "all") == ["a.jpg", "b.jpg", "c.jpg"]
        for split, name in (("train", "b"), ("dev", "a"), ("test", "c")):
            (tmp_path / f"Flickr_8k.{split}Images.txt").write_text(f"{name}.jpg\n")
        assert [names(tmp_path, each) for each in ("train", "validation", "test")] == [
            ["b.jpg"],
            ["a.jpg"],
            ["c.jpg"],
        ]

    def test_the_sample_has_the_bytes_of_its_files(self):
        record = load("sample", "validation")[0]
        assert Image.open(io.BytesIO(record["image"])).size == (64, 64)
        assert record["captions"].dtype == object


def test_a_list_with_splits_is_evaluated_by_split(tmp_path):
    """One captions.json is one file, and still has the splits that its entries say."""
    written(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    split = zip("abc", ("train", "val", "test"), strict=True)
    karpathy(tmp_path, [entry(f"{name}.jpg", where) for name, where in split])
    assert has_splits(APP, settings(tmp_path))
    assert set(APP.data.splits(settings(tmp_path))) == {"train", "validation", "test"}
    found = evaluate(APP, FIXTURES / "v0_1_0" / "captioning", str(tmp_path))
    assert (found.split, found.records) == ("test", 1)


def test_a_list_without_splits_is_evaluated_whole(tmp_path):
    written(tmp_path, "a.jpg", "b.jpg")
    entries = [{"file": f"{name}.jpg", "captions": list(SAID)} for name in "ab"]
    (tmp_path / "captions.json").write_text(json.dumps(entries))
    found = evaluate(APP, FIXTURES / "v0_1_0" / "captioning", str(tmp_path))
    assert (found.split, found.records) == ("all", 2)


class TestBadInput:
    @pytest.fixture
    def folder(self, tmp_path):
        written(tmp_path, "a.jpg", "b.jpg")
        karpathy(tmp_path, [entry("a.jpg"), entry("b.jpg")])
        return tmp_path

    def refused(self, folder, message, skipped=1, split="train"):
        """An error that names it, or, when told to skip, one record less."""
        with pytest.raises(UserError, match=message):
            load(folder, split, "data.validation=0.0")
        assert len(load(folder, split, "data.validation=0.0", "data.on_error=skip")) == 2 - skipped

    def test_empty_bytes(self, folder):
        (folder / "images" / "b.jpg").write_bytes(b"")
        self.refused(folder, r"b\.jpg: not a picture that can be read.*data\.on_error=skip")

    def test_a_truncated_jpeg(self, folder):
        content = (folder / "images" / "b.jpg").read_bytes()
        (folder / "images" / "b.jpg").write_bytes(content[: len(content) // 2])
        self.refused(folder, r"b\.jpg: not a picture that can be read")

    def test_a_png_with_a_wrong_ending(self, folder):
        (folder / "images" / "b.jpg").write_bytes(picture(kind="PNG"))
        assert names(folder, "train", "data.validation=0.0") == ["a.jpg", "b.jpg"]

    @pytest.mark.parametrize("side", [1, 8000])
    def test_pictures_of_any_size(self, folder, side):
        (folder / "images" / "b.jpg").write_bytes(picture(90, side=side))
        records = data.load(settings(folder, "data.validation=0.0"), "train")
        fitted = data.fit(settings(folder), records)
        inputs = [
            inputs["image"].numpy()
            for inputs, _ in data.examples(settings(folder), fitted, records)
        ]
        assert [each.shape for each in inputs] == [(64, 64, 3)] * 2
        assert np.all(abs(inputs[1].astype(int) - 90) <= 1)

    def test_an_image_without_captions(self, folder):
        karpathy(folder, [entry("a.jpg"), entry("b.jpg", said=["", "  "])])
        self.refused(folder, r"b\.jpg: no captions")

    def test_captions_of_a_missing_image(self, folder):
        (folder / "images" / "b.jpg").unlink()
        self.refused(folder, r"images/b\.jpg: there is no such file")

    def test_captions_of_an_image_that_is_not_listed(self, tmp_path):
        (tmp_path / "annotations").mkdir()
        content = {"images": [], "annotations": [{"image_id": 9, "caption": "x"}]}
        (tmp_path / "annotations" / "captions_val.json").write_text(json.dumps(content))
        with pytest.raises(UserError, match="captions of image 9, which is not in its list"):
            load(tmp_path, "all")

    def test_nothing_usable(self, folder):
        for name in "ab":
            (folder / "images" / f"{name}.jpg").write_bytes(b"")
        with pytest.raises(UserError, match="holds no usable images with captions"):
            load(folder, "train", "data.on_error=skip")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "is no JSON"),
            ("{}", "holds no list of images"),
            ('[{"captions": []}]', "image 0 has no filename"),
        ],
    )
    def test_a_broken_list(self, tmp_path, content, message):
        (tmp_path / "captions.json").write_text(content)
        with pytest.raises(UserError, match=message):
            load(tmp_path, "train")

    def test_no_layout_at_all(self, tmp_path):
        with pytest.raises(UserError, match=r"has none of captions\.json"):
            load(tmp_path, "train")
        with pytest.raises(UserError, match="There is no"):
            load(tmp_path / "absent", "train")

    def test_a_line_without_a_tab(self, tmp_path):
        (tmp_path / "Flickr8k.token.txt").write_text("a.jpg#0\tA dog .\nb.jpg A cat .\n")
        with pytest.raises(UserError, match="line 2: no tab"):
            load(tmp_path, "train")


class TestExamples:
    @pytest.fixture
    def folder(self, tmp_path):
        long = " ".join(["very"] * 199 + ["long"])
        written(tmp_path, "a.jpg", "b.jpg", "c.jpg")
        karpathy(
            tmp_path,
            [
                entry("a.jpg", said=["Dogs", SAID[0], long]),
                entry("b.jpg", said=[long]),
                entry("c.jpg"),
            ],
        )
        return tmp_path

    def examples(self, folder, *overrides):
        config = settings(folder, "data.validation=0.0", "data.max_tokens=30", *overrides)
        records = data.load(config, "train")
        fitted = data.fit(config, records)
        return fitted, list(data.examples(config, fitted, records))

    def test_captions_of_one_word_and_of_two_hundred(self, folder, caplog):
        fitted, found = self.examples(folder)
        assert "2 of 6 captions are longer than data.max_tokens" in caplog.text
        assert [len(targets) for _, targets in found] == [
            2,
            2,
        ]  # b.jpg has none that is short enough
        subwords = fitted.subwords()
        inputs, targets = found[0]
        assert subwords.text(targets).numpy().tolist() == [b"dogs", b"a red square ."]
        shifted = np.concatenate([[[2], [2]], targets[:, :-1]], axis=1)
        np.testing.assert_array_equal(inputs["target"], np.where(shifted == 3, 0, shifted))
        assert inputs["image"].dtype == tf.uint8

    def test_so_many_captions_and_their_case(self, folder):
        fitted, found = self.examples(folder, "data.most_captions=1", "data.lowercase=false")
        assert fitted.subwords().text(found[-1][1]).numpy().tolist() == [SAID[0].encode()]
        assert len(found[-1][1]) == 1

    def test_a_batch_holds_pictures_and_all_captions(self, folder):
        _, found = self.examples(folder)
        examples = tf.data.Dataset.from_generator(
            lambda: iter(found),
            output_signature=(
                {
                    "image": tf.TensorSpec([64, 64, 3], tf.uint8),
                    "target": tf.TensorSpec([None, None], tf.int32),
                },
                tf.TensorSpec([None, None], tf.int32),
            ),
        )
        inputs, targets = next(iter(batches.bucketed(examples, data.length, (30,), 4)))
        assert inputs["image"].shape == (2, 64, 64, 3)
        assert inputs["target"].shape == targets.shape

    def test_known_captions_but_for_case_and_marks(self, folder):
        fitted, _ = self.examples(folder)
        assert fitted.knows(["a RED square", "A red square.", "a red-square", "a blue square"]) == [
            True
        ] * 3 + [False]


class TestBackbone:
    def test_features_are_computed_once(self, tmp_path, monkeypatch):
        monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path / "cache"))
        written(tmp_path, "a.jpg", "b.jpg")
        karpathy(tmp_path, [entry("a.jpg"), entry("b.jpg")])
        config = settings(
            tmp_path, "data.validation=0.0", "data.backbone=MobileNetV2", "data.weights=random"
        )
        records = data.load(config, "train")
        fitted = data.fit(config, records)
        first = [inputs["features"].numpy() for inputs, _ in data.examples(config, fitted, records)]
        files = sorted((tmp_path / "cache" / "features").rglob("*.npy"))
        assert len(files) == 2
        backbone = data.pretrained("MobileNetV2", 64, "random")
        expected = backbone(data.image.images(tf.constant([picture(5), picture(25)]), 64))
        np.testing.assert_allclose(first, expected, rtol=1e-2, atol=1e-3)  # kept in 16 bits
        stamps = [file.stat().st_mtime_ns for file in files]
        files[0].write_bytes(b"broken")
        again = [inputs["features"].numpy() for inputs, _ in data.examples(config, fitted, records)]
        np.testing.assert_array_equal(first, again)
        assert files[1].stat().st_mtime_ns == stamps[1]
        assert files[0].stat().st_size == files[1].stat().st_size

    def test_weights_that_are_not_to_be_had(self, tmp_path):
        config = settings(
            "sample", "data.backbone=MobileNetV2", f"data.weights={tmp_path}/absent.weights.h5"
        )
        with pytest.raises(UserError, match=r"no weights .*data\.backbone=''"):
            data.pretrained(config.backbone, config.size, config.weights)

    def test_settings_that_do_not_go_together(self):
        with pytest.raises(UserError, match=r"unknown network ResNet5\. Did you mean ResNet50"):
            load("sample", "train", "data.backbone=ResNet5")
        with pytest.raises(UserError, match="a frozen backbone sees an image once"):
            settings("sample", "data.backbone=MobileNetV2", "data.crop=0.1")
