"""A file of requests, scored by a process that is killed three times."""

import json
import os

from rnnsuite import catalog
from rnnsuite.pipeline.inference.models import open_model
from tests.processes import ended, start, wait

ROWS = int(os.environ.get("RNNSUITE_ROWS", "10000"))


def test_killed_three_times_and_every_row_once(tmp_path):
    texts = [f"Film {number}: {'good' if number % 3 else 'bad'}." for number in range(ROWS)]
    source, output, part = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "out.jsonl.part"))
    source.write_text(
        "".join(
            json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts)
        )
    )
    words = ["predict", "sentiment", "--json", "--model", "saved_models/sentiment/1"]
    words += ["--input", source, "--output", output]
    log = tmp_path / "log"

    def killed(seen):
        """A process that is killed when it has written more than `seen` bytes; how many there are
        then.
        """
        process = start(words, log)
        wait(
            lambda: (part.is_file() and part.stat().st_size > seen) or process.poll() is not None,
            log,
        )
        assert process.poll() is None, log.read_text()[-3000:]
        process.kill()
        process.wait()
        assert not output.exists()
        with open(part, "ab") as cut:  # as if it had been killed within a line
            cut.write(b'{"row": 7, "inp')
        return part.stat().st_size

    assert killed(killed(killed(0))) > 0
    result = ended(start(words, log), log)
    assert result == {"output": str(output), "rows": ROWS, "errors": 0}
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(1, ROWS + 1))
    assert [line["input"] for line in lines] == texts
    app = catalog.find("sentiment")
    few = range(0, ROWS, 997)
    expected = open_model(app, "saved_models/sentiment/1").answer([{"text": texts[n]} for n in few])
    assert [lines[n]["label"] for n in few] == [label.decode() for label in expected["label"]]
    assert log.read_text().count("Going on behind row") == 3
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []
