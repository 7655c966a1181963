"""Raw records to tensors: the same object in tf.data and in the exported graph."""
