"""Files of requests: every kind, good and bad rows, and what is refused."""

import json

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import exclusive
from rnnsuite.pipeline.inference import bulk
from tests.files import picture, sound

SENTIMENT = catalog.find("sentiment")
MODEL = "saved_models/sentiment/1"


def scored(source, app=SENTIMENT, model=MODEL, **options):
    output = source.with_name("out.jsonl")
    result = bulk.predict_file(app, model, source, output, **options)
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert result["rows"] == len(lines)
    numbers = [line["row"] for line in lines]
    assert numbers == sorted(set(numbers))
    return lines


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"text": "Gut, é."}\n\n"bare"\n{"text": "last"}'),
        ("a.txt", "Gut, é.\r\nbare\nlast\n"),
        ("a.csv", '\ufefftext,id\n"Gut, é.",1\nbare,2\nlast,3\n'),
        ("a.tsv", "id\ttext\n1\tGut, é.\n2\tbare\n3\tlast\n"),
    ],
)
def test_every_kind_of_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    lines = scored(tmp_path / name)
    assert [line["input"] for line in lines] == ["Gut, é.", "bare", "last"]
    assert all(line["label"] in ("neg", "pos") for line in lines)


def test_a_bad_row_stops_nothing(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        b'{"text": "g\xc3\xb6od"}\n{"txt": "x"}\n\xff\n{\n[1]\n{"text": 5}\n{"text": ""}\n'
    )
    lines = scored(tmp_path / "a.jsonl")
    assert ["error" in line for line in lines] == [False, True, True, True, True, True, False]
    assert {line["error"] for line in lines if "error" in line} == {
        "no 'text'. Did you mean txt?",
        "text: a text is expected, not a number",
        "text: a text is expected, not a list",
        "not UTF-8",
        "not JSON",
    }
    assert all(line["input"] is None for line in lines if "error" in line)


def test_bad_bytes_in_a_table(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,g\xc3\xb6od\n2,\xff\n3\n4,bad\n")
    assert [line.get("error") for line in scored(tmp_path / "a.csv")] == [
        None,
        "not UTF-8",
        "no column 'text'",
        None,
    ]


def test_an_empty_file_has_an_empty_answer(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    assert scored(tmp_path / "a.txt") == []


def test_another_column_signature_and_no_bound_on_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "WINDOW", 3)
    (tmp_path / "a.csv").write_text(
        "review\n" + "".join(f"text {n} {'x ' * (n % 4)}\n" for n in range(10))
    )
    lines = scored(tmp_path / "a.csv", columns={"text": "review"}, signature="explain")
    assert len(lines) == 10
    assert all(abs(sum(line["weights"]) - 1) < 1e-5 for line in lines)


def test_files_that_are_named_in_a_file(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound(500))
    (tmp_path / "b.wav").write_bytes(b"no sound")
    (tmp_path / "a.txt").write_text(f"{tmp_path}/a.wav\n{tmp_path}/b.wav\n{tmp_path}/c.wav\n")
    lines = scored(
        tmp_path / "a.txt", catalog.find("speech_commands"), "saved_models/speech_commands/1"
    )
    assert "label" in lines[0]
    assert "b.wav" in lines[1]["error"]
    assert "There is no sound file" in lines[2]["error"]


def test_a_file_that_only_the_graph_refuses(tmp_path, monkeypatch):
    """The others of its window are answered."""
    (tmp_path / "a.jpg").write_bytes(picture(40, 40))
    (tmp_path / "b.jpg").write_bytes(picture(40, 40)[:-700])
    monkeypatch.setattr("rnnsuite.inputs.image_files.check", lambda path: "")
    (tmp_path / "a.txt").write_text(f"{tmp_path}/a.jpg\n{tmp_path}/b.jpg\n{tmp_path}/a.jpg\n")
    lines = scored(tmp_path / "a.txt", catalog.find("captioning"), "saved_models/captioning/1")
    assert lines[0]["caption"] == lines[2]["caption"]
    assert "error" in lines[1]


def test_what_is_refused(tmp_path):
    source, output = tmp_path / "a.txt", tmp_path / "out.jsonl"
    part = tmp_path / "out.jsonl.part"

    def refused(said, source=source, **options):
        with pytest.raises(UserError, match=said):
            bulk.predict_file(SENTIMENT, MODEL, source, output, **options)

    refused("There is no file")
    source.write_text("good\n")
    (tmp_path / "a.pdf").write_text("good\n")
    refused(r"ends in \.jsonl", tmp_path / "a.pdf")
    (tmp_path / "a.csv").write_text("txt\ngood\n")
    refused("has no column 'text'; it has txt. Name one with --field", tmp_path / "a.csv")
    refused("has no signature", signature="explane")
    # What has answered nothing claims nothing; an answered row does.
    part.write_bytes(b'{"row": 1}\n')
    part.with_name("out.jsonl.part.json").write_text("{}")
    refused("another prediction: another input, which may have changed since")
    with exclusive(part, ""):
        refused("Another process is writing")
    output.write_text("precious")
    refused("out.jsonl exists")
    assert output.read_text() == "precious"


def test_a_disk_that_is_full(tmp_path):
    """Nothing is lost: what is on disk is whole lines, and the same command goes on."""
    import resource

    source, output = tmp_path / "a.txt", tmp_path / "out.jsonl"
    source.write_text("".join(f"Film {number}.\n" for number in range(5000)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(UserError, match=r"Cannot write .*out\.jsonl\.part: File too large"):
            bulk.predict_file(SENTIMENT, MODEL, source, output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not output.exists()
    assert bulk.predict_file(SENTIMENT, MODEL, source, output) == {
        "output": str(output),
        "rows": 5000,
        "errors": 0,
    }
    assert [json.loads(line)["row"] for line in output.read_text().splitlines()] == list(
        range(1, 5001)
    )
