"""Measures the code of rnnsuite and apps: sizes, names, docstrings, tests.

python -m tests.house.style         prints the measures, and what is over its bound
"""

import ast
import dataclasses
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parent.parent.parent
CODE = ("rnnsuite", "apps")
WIDTH = 100
VAGUE = frozenset(
    [
        "one",
        "found",
        "each",
        "told",
        "said",
        "asked",
        "given",
        "there",
        "made",
        "known",
        "kept",
        "held",
        "seen",
        "other",
    ]
)
"""Names that say nothing of what they hold."""
SECTIONS = ("Args:", "Returns:", "Raises:", "Yields:", "Attributes:")
FILE_LINES = 300
FUNCTION_LINES = 50
CLASS_LINES = 150
VAGUE_SHARE = 0.005
SECTION_SHARE = 0.9
TEST_SHARE = 0.8


@dataclasses.dataclass(frozen=True)
class Definition:
    """A function or class: where it is, and its lines without the docstring."""

    place: str
    lines: int


@dataclasses.dataclass(frozen=True)
class Measures:
    """What was measured.

    Args:
        files: lines of each file.
        functions: every function.
        classes: every class.
        names: bound names, and those of them that are vague, by place.
        docstrings: public docstrings of several lines, and those of them without sections.
        lines: of code, and of tests.
    """

    files: list[Definition]
    functions: list[Definition]
    classes: list[Definition]
    names: tuple[int, list[str]]
    docstrings: tuple[int, list[str]]
    lines: tuple[int, int]

    def faults(self) -> list[str]:
        """What is over its bound."""
        faults = [
            f"{definition.place}: {definition.lines} lines"
            for definitions, most in (
                (self.files, FILE_LINES),
                (self.functions, FUNCTION_LINES),
                (self.classes, CLASS_LINES),
            )
            for definition in definitions
            if definition.lines > most
        ]
        names, vague = self.names
        if len(vague) > VAGUE_SHARE * names:
            faults.append(f"{len(vague)} of {names} names are vague: {', '.join(vague[:20])}")
        docstrings, bare = self.docstrings
        if len(bare) > (1 - SECTION_SHARE) * docstrings:
            faults.append(
                f"{len(bare)} of {docstrings} docstrings have no sections: {', '.join(bare[:20])}"
            )
        code, tests = self.lines
        if tests < TEST_SHARE * code:
            faults.append(f"{tests} lines of tests for {code} lines of code")
        return faults


def python_files(*folders: str) -> Iterator[pathlib.Path]:
    """The Python files of folders of the project."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def measure() -> Measures:
    """Measures the project."""
    files = []
    functions = []
    classes = []
    names = 0
    vague: list[str] = []
    docstrings = 0
    bare: list[str] = []
    for path in python_files(*CODE):
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        files.append(Definition(place, len(text.splitlines())))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append(Definition(f"{place}:{node.name}", _body_lines(node)))
            elif isinstance(node, ast.ClassDef):
                classes.append(Definition(f"{place}:{node.name}", _body_lines(node)))
            for name in bound_names(node):
                names += 1
                if name in VAGUE:
                    vague.append(f"{place}:{getattr(node, 'lineno', 0)} {name}")
        for name, node in public(tree):
            docstring = ast.get_docstring(node) or ""
            if "\n" in docstring.strip() and takes_or_gives(node):
                docstrings += 1
                if not any(section in docstring for section in SECTIONS):
                    bare.append(f"{place}:{name}")
    return Measures(files, functions, classes, (names, vague), (docstrings, bare), _lines())


def _lines() -> tuple[int, int]:
    """Lines of code, and of tests: those of templates for new applications, too."""
    code = [path for path in python_files(*CODE) if not path.name.startswith("test_")]
    tests = [path for path in python_files(*CODE, "tests") if path not in code]
    return sum(map(code_lines, code)), sum(map(code_lines, tests))


def code_lines(path: pathlib.Path) -> int:
    """Lines of a file that hold code: no blank lines, no comments, no docstrings."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    documented: set[int] = set()
    for node in ast.walk(tree):
        # Docstrings, and the strings below attributes.
        constant = node.value if isinstance(node, ast.Expr) else None
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            documented |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(
        1
        for number, line in lines
        if line.strip() and not line.strip().startswith("#") and number not in documented
    )


def _body_lines(node) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = ast.get_docstring(inner, clean=False)
            lines -= docstring.count("\n") + 1 if docstring else 0
    return lines


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names that a node binds: variables, arguments, definitions, attributes of self."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr


def public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Public functions and classes of a module, and public methods of public classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, kinds) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def takes_or_gives(node: ast.AST) -> bool:
    """True for what a section could describe: a function with arguments or a result, a class."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(inner, ast.FunctionDef | ast.AnnAssign) for inner in node.body)
    arguments = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
    has_result = any(isinstance(inner, ast.Return) and inner.value for inner in ast.walk(node))
    return bool(arguments or node.args.kwonlyargs or has_result)


def main() -> None:
    measures = measure()
    names, vague = measures.names
    docstrings, bare = measures.docstrings
    code, tests = measures.lines
    print(f"files      {len(measures.files)}, longest {max(f.lines for f in measures.files)}")
    print(
        f"functions  {len(measures.functions)}, longest {max(f.lines for f in measures.functions)}"
    )
    print(f"classes    {len(measures.classes)}, longest {max(c.lines for c in measures.classes)}")
    print(f"names      {names}, vague {len(vague)} ({len(vague) / names:.2%})")
    print(f"docstrings {docstrings}, with sections {1 - len(bare) / docstrings:.1%}")
    print(f"test lines {tests} / code lines {code} = {tests / code:.2f}")
    for fault in measures.faults():
        print(f"over: {fault}")


if __name__ == "__main__":
    main()
