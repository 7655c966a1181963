import pytest

from rnnsuite.core.errors import ExportFailed, NotFinite, UserError, nearest


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("unit", ["units", "depth"], " Did you mean units?"),
        ("xyz", ["units", "depth"], " Known: depth, units."),
        ("xyz", [], " Known: none."),
    ],
)
def test_the_nearest_name(name, known, expected):
    assert nearest(name, known) == expected


def test_what_a_command_tells_is_of_one_kind():
    assert issubclass(ExportFailed, UserError)
    assert issubclass(NotFinite, UserError)
