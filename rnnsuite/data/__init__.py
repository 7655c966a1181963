"""Records on disk to records in memory: sources, splits, tables, labels, batches."""
