import pytest

from rnnsuite.core.text import as_text, graph_message, one_line


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"gut", "gut"), ("gut", "gut"), (b"\xff", "\ufffd"), (5, "5"), (b"", "")],
)
def test_the_text_in_a_record(value, expected):
    assert as_text(value) == expected


def test_a_message_on_one_line_and_no_longer():
    assert one_line("a\n  b\tc") == "a b c"
    assert len(one_line("x" * 900)) == 300
    assert one_line("x" * 900, 10) == "x" * 10


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("assertion failed: [no RIFF header] [Op:Assert]", "[no RIFF header] [Op:Assert]"),
        ("Graph execution error:\n\nbad\n\t [[node x]]", "bad"),
        ("bad [[{{node y}}]]\n\nOriginal stack trace for 'y'", "bad"),
        ("plain", "plain"),
    ],
)
def test_what_an_assertion_in_a_graph_says(message, expected):
    assert graph_message(message) == expected
