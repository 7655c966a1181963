"""The tree is within its own bounds, and the measure can fail."""

import ast

import pytest

from tests.house import style


@pytest.fixture(scope="module")
def measures():
    return style.measure()


def test_sizes_names_docstrings_and_the_share_of_tests_are_within_their_bounds(measures):
    assert measures.faults() == []


@pytest.mark.parametrize("bound", ["FILE_LINES", "FUNCTION_LINES", "CLASS_LINES"])
def test_sizes_are_measured(measures, bound, monkeypatch):
    monkeypatch.setattr(style, bound, 5)
    assert any(" lines" in fault for fault in measures.faults())


@pytest.mark.parametrize(
    ("bound", "value", "said"),
    [("VAGUE_SHARE", -1, "are vague"), ("SECTION_SHARE", 2, "no sections"), ("TEST_SHARE", 99, "")],
)
def test_shares_are_measured(measures, bound, value, said, monkeypatch):
    monkeypatch.setattr(style, bound, value)
    assert any(said in fault for fault in measures.faults())


def test_docstrings_comments_and_blank_lines_are_no_code(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('"""A\n\nmodule."""\n\n# comment\nx = 1\n"""What x is."""\n\n\ny = 2\n')
    assert style.code_lines(path) == 2


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1", {"x"}),
        ("def f(a, *, b): c = a", {"f", "a", "b", "c"}),
        ("class A:\n    def g(self): self.h = 1", {"A", "g", "self", "h"}),
        ("for i in range(3): pass", {"i"}),
        ("print(z)", set()),
    ],
)
def test_bound_names(code, names):
    found = {name for node in ast.walk(ast.parse(code)) for name in style.bound_names(node)}
    assert found == names


def test_what_a_section_could_describe():
    code = "def f(): pass\ndef g(a): pass\ndef h(): return 1\nclass A: x: int\nclass B: pass"
    found = [style.takes_or_gives(node) for node in ast.parse(code).body]
    assert found == [False, True, True, True, False]


def test_lines_of_javascript_are_no_longer_than_those_of_python():
    paths = [path for folder in style.CODE for path in (style.ROOT / folder).rglob("*.mjs")]
    assert len(paths) > 30
    long = [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > style.WIDTH
    ]
    assert not long
