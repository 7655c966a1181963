"""AutoGraph leaves the functions of this house as they are written."""

OURS = ("rnnsuite", "apps")
"""Packages whose functions ask no tensor with `if` or `while`; see docs/decisions/052."""


def leave_ours() -> None:
    """Tells AutoGraph not to convert them, also where a data set maps one.

    Functions of anybody else are converted as ever. The list of rules is TensorFlow's own and may
    go away: then nothing is changed but the time that tracing takes.
    """
    try:
        from tensorflow.python.autograph.core import config, config_lib

        prefixes = {getattr(rule, "_prefix", None) for rule in config.CONVERSION_RULES}
        new = [config_lib.DoNotConvert(name) for name in OURS if name not in prefixes]
        config.CONVERSION_RULES = (*new, *config.CONVERSION_RULES)
    except (ImportError, AttributeError):
        return
