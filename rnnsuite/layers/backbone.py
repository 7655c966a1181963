"""The networks of keras.applications as layers from pixels to positions."""

import inspect
import sys

import keras

KINDS = tuple(name for name, each in sorted(vars(keras.applications).items()) if inspect.isfunction(each))


@keras.saving.register_keras_serializable("rnnsuite")
class Backbone(keras.layers.Layer):
    """Pixels of 0 to 255, `[batch, size, size, 3]`, to the last feature map of a network, `[batch, h, w, channels]`.

    kind: a network of keras.applications, such as MobileNetV3Small; what it does to pixels
    before its first layer is done here. Its weights are random until `load`. Raises ValueError
    on an unknown kind, or a size that it cannot take.
    """

    def __init__(self, kind: str, size: int, **options):
        super().__init__(**options)
        self.kind, self.size = kind, size
        self.network = _made(kind, size, None)

    def build(self, shape):
        pass  # the network is built as it is made

    def call(self, pixels_BxHxWx3, training=False):
        prepare = sys.modules[getattr(keras.applications, self.kind).__module__].preprocess_input
        return self.network(prepare(pixels_BxHxWx3), training=training)

    def compute_output_shape(self, shape):
        return (shape[0], *self.network.output_shape[1:])

    def load(self, weights: str) -> None:
        """Takes over "imagenet", downloaded once, or a file of weights. Raises ValueError where there are none."""
        try:
            if weights == "imagenet":
                self.network.set_weights(_made(self.kind, self.size, "imagenet").get_weights())
            else:
                self.network.load_weights(weights)
        except Exception as error:  # Keras raises bare ones where there is no network
            raise ValueError(f"no weights {weights!r} for {self.kind}: {' '.join(str(error).split())[:200]}") from error

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "size": self.size}


def _made(kind, size, weights):
    if kind not in KINDS:
        raise ValueError(f"there is no keras.applications.{kind}; there are {', '.join(KINDS)}")
    return getattr(keras.applications, kind)(include_top=False, weights=weights, input_shape=(size, size, 3))
