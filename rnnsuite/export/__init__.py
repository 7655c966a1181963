"""From a run to what is deployed: SavedModel, LiteRT files, TF Serving's side files, and the proof that all agree."""
