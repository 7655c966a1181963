"""Sources of texts, good and bad."""

import json

import pytest
import tensorflow_datasets as tfds

from apps.sentiment import data
from rnnsuite.core.errors import UserError
from tests.public_sets import write_metadata

GOOD = [("a fine film", "pos"), ("a bad film", "neg"), ("fine", "pos"), ("bad", "neg")] * 5


def write_table(path, rows=GOOD, header=("text", "label")):
    lines = [*([header] if header else []), *rows]
    if path.suffix == ".jsonl":
        path.write_text(
            "".join(
                json.dumps(dict(zip(("text", "label"), row, strict=True))) + "\n" for row in rows
            )
        )
    else:
        path.write_text(
            "".join(("\t" if path.suffix == ".tsv" else ",").join(line) + "\n" for line in lines)
        )
    return path


def load(source, split="all", **options):
    return list(
        data.load(data.DataConfig(source=str(source), **options), split).as_numpy_iterator()
    )


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_tables_are_one_split_used_whole(tmp_path, suffix):
    path = write_table(tmp_path / f"reviews{suffix}")
    assert [(row["text"].decode(), row["label"].decode()) for row in load(path)] == GOOD


def test_one_table_is_divided_for_training_by_text(tmp_path):
    rows = [(f"text {number}", "pos" if number % 2 else "neg") for number in range(500)]
    path = write_table(tmp_path / "reviews.csv", rows + rows)
    train, held = (load(path, split, validation=0.2) for split in ("train", "validation"))
    assert len(train) + len(held) == 1000
    assert 100 < len(held) < 300
    assert not {row["text"] for row in train} & {row["text"] for row in held}
    with pytest.raises(UserError, match="no test split"):
        load(path, "test")


def test_folder_of_tables_knows_the_usual_names(tmp_path):
    for name in ("train", "dev", "test"):
        write_table(tmp_path / f"{name}.tsv", [(name, "pos")])
    for split, text in (("train", b"train"), ("validation", b"dev"), ("test", b"test")):
        assert [row["text"] for row in load(tmp_path, split)] == [text]


def test_columns_without_a_header_and_other_names(tmp_path):
    path = write_table(tmp_path / "r.tsv", header=None)
    assert len(load(path, columns=("text", "label"))) == len(GOOD)
    with pytest.raises(UserError, match=r"no column 'text'.*data\.columns"):
        load(path)
    other = write_table(tmp_path / "s.csv", header=("sentence", "class"))
    assert len(load(other, text="sentence", label="class")) == len(GOOD)


def test_the_acl_imdb_layout(tmp_path):
    for split, label in (
        ("train", "pos"),
        ("train", "neg"),
        ("train", "unsup"),
        ("test", "pos"),
        ("test", "neg"),
    ):
        folder = tmp_path / split / label
        folder.mkdir(parents=True)
        for number in range(2):
            (folder / f"{number}_9.txt").write_text(f"{split} {label} {number}")
    (tmp_path / "README").write_text("not a split")
    rows = load(tmp_path, "test")
    assert {(row["text"], row["label"]) for row in rows} == {
        (f"test {label} {number}".encode(), label.encode())
        for label in ("pos", "neg")
        for number in range(2)
    }
    assert all(
        row["label"] != b"unsup"
        for split in ("train", "validation")
        for row in load(tmp_path, split)
    )


PUBLIC = {
    "imdb_reviews": (["train", "test", "unsupervised"], {}),
    "glue/sst2": (["train", "validation", "test"], {"text": "sentence"}),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_sets_by_their_own_features(tmp_path, name):
    splits, fields = PUBLIC[name]
    write_metadata(name, splits, tmp_path, 50)
    with tfds.testing.mock_data(num_examples=50, data_dir=str(tmp_path)):
        for split in ("train", "validation", "test"):
            rows = load(f"tfds:{name}", split, validation=0.3, **fields)
            assert rows
            assert {row["label"] for row in rows} <= {b"neg", b"pos", b"negative", b"positive"}
        with pytest.raises(UserError, match="no field 'body'"):
            load(f"tfds:{name}", "test", text="body")


def test_unknown_public_set_and_missing_path(tmp_path):
    with pytest.raises(UserError, match="no data set 'no_such_set'"):
        load("tfds:no_such_set")
    with pytest.raises(UserError, match=r"There is no .*missing"):
        load(tmp_path / "missing")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_an_empty_file(tmp_path, suffix):
    path = tmp_path / f"r{suffix}"
    path.write_text("\n")
    with pytest.raises(UserError, match="is empty"):
        load(path)


def test_another_kind_of_file(tmp_path):
    (tmp_path / "r.xlsx").write_bytes(b"x")
    with pytest.raises(UserError, match=r"\.csv, \.tsv, \.jsonl, \.parquet"):
        load(tmp_path / "r.xlsx")


def test_a_folder_without_classes(tmp_path):
    with pytest.raises(UserError, match="no folders of classes"):
        load(tmp_path)


BAD = {
    "no label": ("r.csv", b"text,label\ngood,pos\nbad,\n", 3),
    "not UTF-8 in csv": ("r.csv", b"text,label\ng\xc3\xb6od,pos\nb\xff\xfed,neg\n", 3),
    "not UTF-8 in jsonl": (
        "r.jsonl",
        b'{"text": "g\xc3\xb6od", "label": "pos"}\n{"text": "b\xff", "label": "neg"}\n',
        2,
    ),
    "no JSON": ("r.jsonl", b'{"text": "good", "label": "pos"}\n{"text": \n', 2),
    "no text": (
        "r.jsonl",
        b'{"text": "good", "label": "pos"}\n{"text": null, "label": "neg"}\n',
        2,
    ),
    "label null": (
        "r.jsonl",
        b'{"text": "good", "label": "pos"}\n{"text": "x", "label": null}\n',
        2,
    ),
    "too many fields": ("r.csv", b"text,label\ngood,pos\na,b,c\n", 3),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_records_name_their_line_or_are_counted(tmp_path, case, caplog):
    name, content, line = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}, line {line}: .*on_error=skip"):
        load(tmp_path / name)
    assert len(load(tmp_path / name, on_error="skip")) == 1
    assert "1 bad records skipped" in caplog.text


def test_undecodable_file_in_a_class_folder(tmp_path, caplog):
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "a.txt").write_bytes(b"fine")
    (tmp_path / "pos" / "b.txt").write_bytes(b"f\xff")
    with pytest.raises(UserError, match=r"b\.txt: not UTF-8 at byte 1"):
        load(tmp_path)
    assert len(load(tmp_path, on_error="skip")) == 1


def test_odd_texts_are_read(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(
        b'text,label\n"",pos\n"two\nlines",neg\n"' + b"x " * 500_000 + b'",pos\n"a\0b",neg\n'
    )
    texts = [row["text"] for row in load(path)]
    assert len(texts) == 4
    assert texts[1] == b"two\nlines"
    assert len(texts[2]) == 1_000_000


def fitted(rows):
    records = data.sources.from_records([{"text": text, "label": label} for text, label in rows])
    return data.fit(data.DataConfig(vocabulary_size=100), records)


def test_one_class_only():
    with pytest.raises(UserError, match=r"one class only \(pos\)"):
        fitted([("good", "pos"), ("fine", "pos")])


def test_empty_texts_only():
    with pytest.raises(UserError, match="no words"):
        fitted([("", "pos"), ("", "neg")])


def test_unlabelled_split():
    with pytest.raises(UserError, match="without a label"):
        fitted([("good", "pos"), ("fine", "")])


def test_examples_are_ids_and_class_numbers():
    value = fitted([("good film", "c"), ("bad film", "a"), ("film", "b")])
    assert value.labels == ("a", "b", "c")
    records = data.sources.from_records(
        [{"text": "good film", "label": "c"}, {"text": "", "label": "a"}]
    )
    rows = list(data.examples(data.DataConfig(), value, records).as_numpy_iterator())
    assert [number for _, number in rows] == [2, 0]
    assert len(rows[1][0]) == 0
    assert (rows[0][0] > 1).all()


def test_a_label_that_train_had_not():
    value = fitted([("good", "pos"), ("bad", "neg")])
    records = data.sources.from_records([{"text": "good", "label": "odd"}])
    with pytest.raises(Exception, match="training split does not have"):
        list(data.examples(data.DataConfig(), value, records))


@pytest.mark.parametrize(("longest", "read"), [(0, 6), (10, 10), (3, 6)])
def test_trained_on_short_texts_and_asked_long_ones(tmp_path, longest, read):
    """What training reads of a text is cut; what is asked later is read to `longest`."""
    path = write_table(tmp_path / "reviews.csv", [("fine " * 50, "pos"), ("bad " * 50, "neg")])
    config = data.DataConfig(
        source=str(path), vocabulary_size=64, max_tokens=6, longest=longest, validation=0.0
    )
    records = data.load(config, "all")
    fitted = data.fit(config, records)
    assert int(fitted.text_to_ids()(["fine " * 50]).row_lengths()[0]) == read
    lengths = {len(ids) for ids, _ in data.examples(config, fitted, records).as_numpy_iterator()}
    assert lengths == {6}
