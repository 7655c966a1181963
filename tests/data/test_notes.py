"""What reading a source leaves to say."""

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data import notes
from rnnsuite.data.notes import Skips


def left_out(*messages):
    skips = Skips("skip")
    for message in messages:
        skips(message)
    return skips


def test_the_first_bad_record_stops_and_says_how_to_go_on():
    with pytest.raises(UserError, match=r"a\.csv, line 3: no text\. Mend it.*data\.on_error=skip"):
        Skips("error")("a.csv, line 3: no text.")


def test_three_are_shown_and_the_others_counted(caplog):
    left_out(*(f"line {number}" for number in range(7))).report("a.csv")
    assert "a.csv: 7 bad records skipped." in caplog.text
    assert "line 2" in caplog.text
    assert "line 3" not in caplog.text
    assert "... and 4 more." in caplog.text


def test_a_source_that_is_read_twice_is_told_of_once(caplog):
    with notes.collected() as said:
        for _ in range(2):
            left_out("line 1", "line 2").report("a.csv")
            notes.say("a.csv is read as cp1252.", 30)
        left_out("line 2", "line 9").report("b.csv")
    assert list(said.skipped) == ["line 1", "line 2", "line 9"]
    assert caplog.text.count("bad records") == 2
    assert "b.csv: 1 bad records" in caplog.text
    assert caplog.text.count("cp1252") == 1


def test_nothing_to_tell(caplog):
    Skips("skip").report("a.csv")
    assert caplog.text == ""


def test_what_was_said_around_is_not_said_again(caplog):
    with notes.collected():
        for _ in range(2):
            with notes.collected() as inner:
                left_out("line 1").report("a.csv")
            assert list(inner.skipped) == ["line 1"]
    assert caplog.text.count("bad records") == 1
