"""Files of pictures, as a person names them."""

import pathlib

from PIL import Image

from rnnsuite.inputs.image import LARGEST

FORMATS = ("JPEG", "PNG", "GIF", "BMP")


def check(path: pathlib.Path) -> str | None:
    """What is wrong with a file, or None. It is decoded, as coarsely as its format allows."""
    if not path.is_file():
        return "there is no such file"
    try:
        with Image.open(path, formats=FORMATS) as opened:
            if opened.width * opened.height > LARGEST:
                return f"{opened.width} x {opened.height} pixels are more than {LARGEST}"
            opened.draft("RGB", (64, 64))
            opened.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"not a picture that can be read ({' '.join(str(error).split()).rstrip('.')})"
    return None
