"""Progress bars on standard error: lively on a terminal, a line now and then in a log."""

import sys

import tqdm


def bar(items=None, **options) -> tqdm.tqdm:
    """tqdm's bar, with its options."""
    seldom = {} if sys.stderr.isatty() else {"mininterval": 30, "delay": 30}
    return tqdm.tqdm(items, file=sys.stderr, leave=False, **seldom, **options)
