"""Lines and documents of text files, folders and tables."""

import gzip
import json
import lzma

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.documents import documents
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig

TEXT = "One.\n\nTwo, zwei – drei.\r\nthree\n"
LINES = ["One.", "", "Two, zwei – drei.", "three"]


def read(place, unit="line", on_error="error", **config):
    skips = Skips(on_error)
    config = TableConfig(**config)
    rows = list(documents(place, config, "text", unit, skips))
    return [row["text"].decode() for row in rows], [row["origin"] for row in rows], skips


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.txt", bytes),
        ("wiki.train.tokens", bytes),
        ("a.txt.gz", gzip.compress),
        ("a.txt.xz", lzma.compress),
    ],
)
class TestFiles:
    def test_lines_blank_ones_too(self, tmp_path, name, pack):
        (tmp_path / name).write_bytes(pack(TEXT.encode()))
        texts, origins, _ = read(tmp_path / name)
        assert texts == LINES
        assert origins[2] == f"{tmp_path / name}, line 3"

    def test_whole(self, tmp_path, name, pack):
        (tmp_path / name).write_bytes(pack(TEXT.encode()))
        texts, origins, _ = read(tmp_path / name, "file")
        assert texts == [TEXT.replace("\r\n", "\n")]
        assert origins == [str(tmp_path / name)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("Müller\nZoë\n".encode(encoding))
    assert read(tmp_path / "a.txt")[0] == ["Müller", "Zoë"]


def test_without_a_line_end(tmp_path):
    (tmp_path / "a.txt").write_text("no line end at all")
    assert read(tmp_path / "a.txt")[0] == ["no line end at all"]


def test_folders_in_the_order_of_names(tmp_path):
    for name, text in (("b/2.txt", "two"), ("a/9.txt", "nine"), ("c.txt", "c"), (".x/no", "no")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read(tmp_path, "file")[0] == ["nine", "two", "c"]


def test_tables(tmp_path):
    rows = [{"text": "a b"}, {"text": "c\nd", "id": 1}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert read(tmp_path / "a.jsonl")[0] == ["a b", "c\nd"]
    (tmp_path / "a.csv").write_text("id,text\n1,hello\n")
    assert read(tmp_path / "a.csv")[0] == ["hello"]


def test_a_row_without_a_text_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": 3}\n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 2: no text"):
        read(tmp_path / "a.jsonl")
    texts, _, skips = read(tmp_path / "a.jsonl", on_error="skip")
    assert texts == ["a"]
    assert skips.count == 1


def test_a_line_that_is_no_utf_8_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes("gut\nü\n".encode() + b"\xff\xfe bad\nend\n")
    with pytest.raises(UserError, match=r"a\.txt, line 3: not UTF-8"):
        read(tmp_path / "a.txt")
    assert read(tmp_path / "a.txt", on_error="skip")[0] == ["gut", "ü", "end"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gz", b"no gzip at all"),
        ("a.gz", gzip.compress(b"x" * 10_000, mtime=0)[:40]),
        ("a.xz", b"no xz"),
        ("a.xz", lzma.compress(bytes(range(256)) * 40)[:60]),
    ],
    ids=["no gzip", "half a gzip", "no xz", "half an xz"],
)
def test_damaged_archives(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} cannot be read"):
        read(tmp_path / name)
