"""Ground that everything stands on: errors, files, progress, execution context."""
