"""Applications, one folder each, made of the same files; see docs/architecture.md."""
