"""Training: one compiled step, and the loop around it that survives being killed."""
