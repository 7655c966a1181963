"""The code in the documentation runs."""

import re

import pytest

from rnnsuite.pipeline.config import Schema
from tests.conftest import APPS, ROOT

DOCS = ROOT / "docs"
PAGES = [*DOCS.glob("*.md"), *ROOT.glob("apps/*/README.md"), ROOT / "README.md"]
KEY = re.compile(r"[`\s]((?:data|model|train|tune|export|decode|score|alert)\.[a-z0-9_]+)[`=\s]")


@pytest.mark.parametrize("page", ["seq2seq.md"])
def test_code_blocks_run(page):
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    )
    names = {}
    exec(compile(code, page, "exec"), names)
    assert names["found"].ids.shape == (2, 4, 50)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_keys_that_are_named_are_there(page):
    known = {key for app in APPS for key in Schema.of(app).known_keys()}
    known |= {key.rsplit(".", 1)[0] for key in known}
    named = set(KEY.findall(page.read_text(encoding="utf-8")))
    files = {name for name in named if name.endswith((".py", ".en", ".de"))}
    assert sorted(named - known - files) == []
