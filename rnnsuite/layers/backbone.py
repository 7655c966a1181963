"""The networks of keras.applications as layers from pixels to positions."""

import inspect
import sys

import keras

KINDS = tuple(
    name for name, value in sorted(vars(keras.applications).items()) if inspect.isfunction(value)
)


@keras.saving.register_keras_serializable("rnnsuite")
class Backbone(keras.layers.Layer):
    """Pixels `[batch, size, size, 3]` of 0 to 255 to a network's last feature map `[batch, h, w,
    c]`.

    What the network does to pixels before its first layer is done here. Its weights are random
    until `load`.

    Args:
        kind: a network of keras.applications, such as MobileNetV3Small.
        size: pixels of a side.

    Raises:
        ValueError: on an unknown kind, or a size that it cannot take.
    """

    def __init__(self, kind: str, size: int, **options):
        super().__init__(**options)
        self.kind = kind
        self.size = size
        self.network = _made(kind, size, None)

    def build(self, shape):
        pass  # the network is built as it is made

    def call(self, pixels_BxHxWx3, training=False):
        prepare = sys.modules[getattr(keras.applications, self.kind).__module__].preprocess_input
        return self.network(prepare(pixels_BxHxWx3), training=training)

    def compute_output_shape(self, shape):
        return (shape[0], *self.network.output_shape[1:])

    def load(self, weights: str) -> None:
        """Loads weights.

        Args:
            weights: "imagenet", downloaded once, or a file.

        Raises:
            ValueError: where they cannot be had, or do not fit.
        """
        try:
            if weights == "imagenet":
                self.network.set_weights(_made(self.kind, self.size, "imagenet").get_weights())
            else:
                self.network.load_weights(weights)
        except Exception as error:  # Keras raises bare ones where there is no network
            raise ValueError(
                f"no weights {weights!r} for {self.kind}: {' '.join(str(error).split())[:200]}"
            ) from error

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "size": self.size}


def _made(kind, size, weights):
    if kind not in KINDS:
        raise ValueError(f"there is no keras.applications.{kind}; there are {', '.join(KINDS)}")
    return getattr(keras.applications, kind)(
        include_top=False, weights=weights, input_shape=(size, size, 3)
    )
