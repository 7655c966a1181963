"""Bytes of pictures to pixels as TensorFlow ops: one object for tf.data and for the exported graph.

JPEG, PNG, GIF (its first frame) and BMP, told by their content, whatever a file is called.
"""

from collections.abc import Callable

import tensorflow as tf

from rnnsuite.inputs.guard import require

LARGEST = 1 << 26  # pixels: 8192 x 8192
_HEAD = 1 << 17  # bytes in which a JPEG file's EXIF segment must begin and end


def decode(content: tf.Tensor) -> tf.Tensor:
    """The pixels of an image file, the way up that the camera was held.

    Grey and CMYK become RGB, what is transparent shows white.

    Args:
        content: a scalar string.

    Returns:
        `[height, width, 3]`, uint8 RGB.

    Raises:
        InvalidArgumentError: where it is no image, a cut one, or has more than `LARGEST` pixels.
    """
    head = tf.strings.join([tf.strings.substr(content, 0, 64), tf.constant(b"\0" * 64)])
    kinds = tf.stack(
        [_begins(head, magic) for magic in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")]
    )
    is_known = tf.reduce_any(kinds)
    kind = require(
        tf.argmax(kinds, output_type=tf.int32), is_known, "not a JPEG, PNG, GIF or BMP picture"
    )
    sizes = [
        lambda: tf.cast(tf.image.extract_jpeg_shape(content)[:2], tf.int64),
        lambda: tf.stack([_number(head, 16, 4, big=True), _number(head, 20, 4, big=True)]),
        lambda: tf.stack([_number(head, 6, 2), _number(head, 8, 2)]),
        lambda: tf.abs(
            tf.cast(
                tf.cast(tf.stack([_number(head, 18, 4), _number(head, 22, 4)]), tf.int32), tf.int64
            )
        ),
    ]
    size = tf.switch_case(kind, sizes)
    small = tf.reduce_all(size < 1 << 31) & (size[0] * size[1] <= LARGEST)
    content = require(content, small, f"a picture of more than {LARGEST} pixels")
    content = require(content, tf.reduce_all(size > 0), "a picture without pixels, or cut short")
    readers = [_jpeg, _png, _gif, _bmp]
    return tf.switch_case(kind, [lambda read=read: read(content) for read in readers])


def _begins(head, magic):
    return tf.strings.substr(head, 0, len(magic)) == magic


def _number(data: tf.Tensor, place: tf.Tensor | int, width: int, big: bool = False) -> tf.Tensor:
    """An unsigned number, int64, in the bytes of a scalar string that is long enough."""
    digits = tf.cast(tf.io.decode_raw(tf.strings.substr(data, place, width), tf.uint8), tf.int64)
    digits = tf.reverse(digits, [0]) if big else digits
    return tf.reduce_sum(tf.bitwise.left_shift(digits, 8 * tf.range(tf.size(digits, tf.int64))))


def _jpeg(content):
    return _turned(
        tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"), orientation(content)
    )


def _png(content):
    # With less than 8 bits TensorFlow does not fill the fourth channel with 255, but with the
    # largest of these bits.
    shallow = _number(content, 24, 1) < 8
    plain, transparent = (
        lambda channels=channels: tf.io.decode_png(content, channels) for channels in (3, 4)
    )
    return tf.cond(shallow, plain, lambda: _on_white(transparent()))


def _gif(content):
    return tf.ensure_shape(
        tf.io.decode_image(content, channels=3, expand_animations=False), [None, None, 3]
    )


def _bmp(content):
    padded = tf.strings.join([content, tf.constant(b"\0" * 64)])
    bits = _number(padded, 28, 2)
    compression = _number(padded, 30, 4)
    plain = (bits >= 8) & ((compression == 0) | (compression == 3))
    content = require(content, plain, "a BMP of less than 8 bits, or compressed")
    pixels = tf.io.decode_bmp(content, channels=0)  # a fourth channel is reserved, not transparency

    def looked_up():
        start = 14 + _number(padded, 14, 4)
        count = _number(padded, 46, 4)
        table = tf.io.decode_raw(
            tf.strings.substr(padded, start, 4 * tf.where(count > 0, count, 256)), tf.uint8
        )
        colours = tf.reverse(tf.reshape(table[: tf.size(table) // 4 * 4], [-1, 4])[:, :3], [1])
        return tf.gather(
            colours, tf.minimum(tf.cast(pixels[..., 0], tf.int32), tf.shape(colours)[0] - 1)
        )

    return tf.cond(bits == 8, looked_up, lambda: pixels[..., :3])


def _on_white(pixels):
    colours = pixels[..., :3]
    shown = pixels[..., 3:]

    def blended():
        # In 16 bits: whole numbers, and half the memory of floats.
        shares = tf.cast(shown, tf.uint16)
        mixed = (tf.cast(colours, tf.uint16) * shares + 255 * (255 - shares) + 127) // 255
        return tf.cast(mixed, tf.uint8)

    return tf.cond(tf.reduce_all(shown == 255), lambda: colours, blended)


def orientation(content: tf.Tensor) -> tf.Tensor:
    """The orientation, 1 to 8, in a JPEG file's EXIF segment (tag 0x0112 of CIPA DC-008)."""
    head = tf.strings.join([tf.strings.substr(content, 0, _HEAD), tf.constant(b"\0" * 16)])
    most = tf.cast(tf.strings.length(head), tf.int64) - 16

    def segment(place, _):
        marker = _number(head, place + 1, 1)
        length = _number(head, place + 2, 2, big=True)
        exif = (marker == 0xE1) & (tf.strings.substr(head, place + 4, 6) == b"Exif\0\0")
        over = (_number(head, place, 1) != 0xFF) | (marker == 0xDA) | (length < 2)
        return tf.where(over, most, place + 2 + length), tf.where(
            exif, place + 10, tf.constant(-1, tf.int64)
        )

    _, found = tf.while_loop(
        lambda place, found: (place + 4 < most) & (found < 0),
        segment,
        (tf.constant(2, tf.int64), tf.constant(-1, tf.int64)),
    )
    stated = tf.cond(
        found >= 0, lambda: _stated(head, found, most), lambda: tf.constant(1, tf.int64)
    )
    return tf.cast(tf.where((stated >= 1) & (stated <= 8), stated, 1), tf.int32)


def _stated(head, start, most):
    """The orientation in the first directory of a TIFF header at `start`, or 1."""
    big = tf.strings.substr(head, start, 2) == b"MM"

    def number(place, width):
        place = tf.clip_by_value(place, 0, most)
        return tf.where(big, _number(head, place, width, big=True), _number(head, place, width))

    first = start + number(start + 4, 4)
    last = first + 2 + 12 * number(first, 2)

    def entry(place, _):
        right = number(place, 2) == 0x0112
        return place + 12, tf.where(right, number(place + 8, 2), tf.constant(0, tf.int64))

    _, stated = tf.while_loop(
        lambda place, stated: (place < tf.minimum(last, most)) & (stated == 0),
        entry,
        (first + 2, tf.constant(0, tf.int64)),
    )
    return stated


def _turned(pixels, stated):
    """Pixels the right way up: transposed, and mirrored along either axis."""

    def is_in(*numbers):
        return tf.reduce_any(stated == tf.constant(numbers))

    pixels = tf.cond(is_in(5, 6, 7, 8), lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    pixels = tf.cond(is_in(2, 3, 6, 7), lambda: tf.reverse(pixels, [1]), lambda: pixels)
    return tf.cond(is_in(3, 4, 7, 8), lambda: tf.reverse(pixels, [0]), lambda: pixels)


def pixels(content: tf.Tensor, size: int) -> tf.Tensor:
    """An image file's pixels, stretched to a square.

    Bilinear with antialiasing, as `rnnsuite.device.resize.resize` does without TensorFlow.

    Args:
        content: a scalar string.
        size: pixels of a side.

    Returns:
        `[size, size, 3]` float32, whole numbers from 0 to 255.
    """
    resized = tf.image.resize(decode(content), [size, size], antialias=True)
    return tf.ensure_shape(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), [size, size, 3])


def images(contents: tf.Tensor, size: int) -> tf.Tensor:
    """Strings `[batch]` to `[batch, size, size, 3]`; see `pixels`."""
    # Few at a time: each may be of `LARGEST` pixels.
    resized = tf.map_fn(
        lambda content: pixels(content, size),
        contents,
        fn_output_signature=tf.float32,
        parallel_iterations=4,
    )
    return tf.reshape(resized, [-1, size, size, 3])  # also of an empty batch


def altered(
    flip: str = "none", crop: float = 0.0, colour: float = 0.0
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """A function that draws another view of the same image.

    Args:
        flip: "none", "horizontal", or "dihedral" for any of the eight ways to lay a square (aerial
            images have no top).
        crop: up to this share of either side is cut away, and the rest stretched.
        colour: brightness, contrast and saturation change by up to this share.

    Returns:
        `(pixels [size, size, 3], seed [2]) -> pixels`.
    """

    def change(pixels, seed):
        size = pixels.shape[0]
        draws = tf.random.stateless_uniform([9], seed)
        pixels = tf.cast(pixels, tf.float32)
        if flip != "none":
            pixels = tf.cond(draws[0] < 0.5, lambda: tf.reverse(pixels, [1]), lambda: pixels)
        if flip == "dihedral":
            pixels = tf.cond(draws[1] < 0.5, lambda: tf.reverse(pixels, [0]), lambda: pixels)
            pixels = tf.cond(
                draws[2] < 0.5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels
            )
        if crop:
            lengths = 1.0 - crop * draws[3:5]
            starts = (1.0 - lengths) * draws[5:7]
            box = tf.concat([starts, starts + lengths], 0)[None]
            pixels = tf.image.crop_and_resize(pixels[None], box, [0], [size, size])[0]
        if colour:
            grey = tf.reduce_mean(pixels, axis=-1, keepdims=True)
            pixels = grey + (pixels - grey) * (1.0 + colour * (2 * draws[7] - 1))
            brightness, contrast = tf.unstack(
                1.0 + colour * (2 * tf.random.stateless_uniform([2], seed + 1) - 1)
            )
            mean = tf.reduce_mean(pixels)
            pixels = mean * brightness + (pixels - mean) * contrast
        return tf.round(tf.clip_by_value(pixels, 0.0, 255.0))

    return change
