"""The code in the documentation runs."""

import re

import pytest

from tests.conftest import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", ["seq2seq.md"])
def test_code_blocks_run(page):
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    )
    names = {}
    exec(compile(code, page, "exec"), names)
    assert names["found"].ids.shape == (2, 4, 50)
