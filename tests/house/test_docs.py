"""The code in the documentation runs."""

import csv
import os
import re
import shlex
import subprocess
import sys

import pytest
import ruamel.yaml

from rnnsuite.cli.main import main
from rnnsuite.pipeline.config import Schema
from tests.conftest import APPS, ROOT
from tests.house.clone import Clone, blocks
from tests.processes import film_reviews

DOCS = ROOT / "docs"
PAGES = [
    path
    for path in (
        *DOCS.rglob("*.md"),
        *ROOT.glob("apps/*/README.md"),
        ROOT / "benchmarks" / "README.md",
        ROOT / "README.md",
    )
    if path.parent.name != "decisions"
]
KEY = re.compile(r"[`\s]((?:data|model|train|tune|export|decode|score|alert)\.[a-z0-9_]+)[`=\s]")
COMMAND = re.compile(
    r"^(?:    )?(?:\.venv/bin/)?(rnnsuite +(?!VERB)\S+(?: +[^\s#]\S*.*?)?)(?: {3,}.*| +# .*)?$",
    re.MULTILINE,
)
"""A line that is a command; what stands behind a gap or a # says what it is for."""
RUN = ["concepts/remembering", "concepts/masks", "concepts/streams", "concepts/beam_search"]
RUN += ["howto/moving", "howto/own_cell", "layers", "seq2seq"]
"""Pages whose Python is run as it stands; test_api runs that of python.md."""
TUTORIALS = [f"tutorials/{app}" for app in APPS]
WHOLE = [*TUTORIALS, "howto/tuning", "howto/own_app", "howto/devices"]
WHOLE += [
    "../README",
    "start",
    "own_data",
    "deploying",
    "howto/batches",
    "many_machines",
    "long_memory",
]
WHOLE += ["../benchmarks/README"]
"""Pages that are run from their first line to their last, in a clone."""


def name(page):
    return page.relative_to(ROOT).as_posix()


def commands(page):
    """Every `rnnsuite ...` of a page, as words, without what is said beside it."""
    text = re.sub(r" \\\n\s*", " ", page.read_text(encoding="utf-8"))
    for line in re.findall(COMMAND, text):
        yield shlex.split(line)[1:]


@pytest.mark.parametrize("page", RUN)
def test_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, code in blocks(page):
        if kind == "python":
            exec(compile(code, page, "exec"), names)
    if page == "seq2seq":
        assert names["found"].ids.shape == (2, 4, 50)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_commands(page):
    """Their verbs, options, values and keys are those that there are."""
    for words in commands(page):
        with main.make_context("rnnsuite", list(words)) as context:
            verb, command, rest = main.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            told = command.make_context(verb, rest, parent=context).params
            if told.get("overrides") and told.get("app") in APPS:
                Schema.of(told["app"]).override({}, told["overrides"])


@pytest.mark.learns
@pytest.mark.parametrize("page", WHOLE)
def test_a_page_runs(page, tmp_path):
    clone = Clone(tmp_path / "rnnsuite")
    try:
        for language, code in blocks(page):
            if language != "text":
                clone.run(language, code)
    finally:
        clone.close()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_run(page):
    """By one of the tests here and in test_api; what is no code says so."""
    stem = os.path.relpath(page, DOCS).removesuffix(".md")
    languages = {language for language, _ in blocks(stem)} - {"text"}
    assert languages <= {"bash", "python", "js", "yaml"}
    assert stem in WHOLE or languages <= {"python"}
    assert stem in {*RUN, *WHOLE, "python"} or languages == set()
    if not stem.startswith("../apps"):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        assert re.findall(r"\n\n    \S.*", text) == []


@pytest.mark.thorough
def test_six_commands_from_a_clone_to_a_page(tmp_path):
    """docs/start.md, but for the environment, which runs already, and the browser."""
    ((_, path), *_) = blocks("start")
    lines = path.splitlines()
    assert len(lines) <= 6
    film_reviews(tmp_path / "reviews.csv", 60)
    (tmp_path / "new.csv").write_text("text\ngood film number 3\nbad film number 3\n")
    assert lines[-1].split()[1] == "demo"
    for line in (*lines[2:-1], f"{lines[-1]} --to pages"):
        words = shlex.split(line.replace(".venv/bin/rnnsuite", "rnnsuite"))
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
    with open(tmp_path / "answers.csv", newline="") as stream:
        assert [row["label"] for row in csv.DictReader(stream)] == ["good", "bad"]
    assert (tmp_path / "pages" / "sentiment.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_keys_that_are_named_are_there(page):
    known = {key for app in APPS for key in Schema.of(app).known_keys()}
    known |= {key.rsplit(".", 1)[0] for key in known}
    named = set(KEY.findall(page.read_text(encoding="utf-8")))
    files = {name for name in named if name.endswith((".py", ".en", ".de", ".it", ".yml"))}
    assert sorted(named - known - files) == []


def test_benchmarks_have_the_options_that_are_named():
    """What would not even begin is noticed in every run; `make check` runs them, made small."""
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^python benchmarks/(\w+)\.py(.*)$", text, re.MULTILINE)
    assert len(lines) > 10
    missing = []
    for script, rest in lines:
        path = ROOT / "benchmarks" / f"{script}.py"
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        missing += [
            f"{script} {name}" for name in re.findall(r"--[a-z]+", rest) if name not in source
        ]
        missing += [] if source else [script]
    assert missing == []


def test_every_application_has_a_tutorial():
    assert {path.stem for path in (DOCS / "tutorials").glob("*.md")} == set(APPS)


def test_a_page_asks_no_other_host_for_anything():
    """Material's default are fonts from elsewhere."""
    guide = ruamel.yaml.YAML(typ="safe", pure=True).load(ROOT / "mkdocs.yml")
    assert guide["theme"]["font"] is False
    assert not guide.keys() & {"extra_css", "extra_javascript"}


def test_every_page_is_reached():
    """A page that is in no menu is found by nobody."""
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if page not in menu and "decisions/" not in page] == []


def whole(page):
    """A page's text with what it takes in from elsewhere."""
    text = page.read_text(encoding="utf-8")
    return re.sub(
        r'^--8<-- "(.+)"$',
        lambda found: (ROOT / found[1]).read_text(encoding="utf-8"),
        text,
        flags=re.MULTILINE,
    )


def anchors(page):
    """What the headings of a page are called in addresses."""
    for heading in re.findall(r"^#+ +(.+)$", whole(page), re.MULTILINE):
        words = re.sub(r"[^\w\s-]", "", re.sub(r"[`*]", "", heading)).strip().lower()
        yield re.sub(r"[\s-]+", "-", words)


def leads(link, page):
    """Whether a link of a page has something at its end."""
    path, _, anchor = link.partition("#")
    if re.match(r"https?:|mailto:", link):
        return True
    target = (page.parent / path).resolve() if path else page
    within = DOCS if page.is_relative_to(DOCS) else ROOT
    if not target.exists() or not target.is_relative_to(within):
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


@pytest.mark.parametrize("page", sorted({*DOCS.rglob("*.md"), *PAGES}), ids=name)
def test_links_lead_somewhere(page):
    """Pages of the guide to pages of the guide, which has nothing else; others to files."""
    links = re.findall(r"\]\(([^)\s]+)\)", whole(page))
    assert [link for link in links if not leads(link, page)] == []
