"""From a run to what is deployed: SavedModel, LiteRT files, and the proof that all agree."""
