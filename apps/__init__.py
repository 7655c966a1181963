"""Applications, one folder each. Every folder is made of the same files; see docs/architecture.md."""
