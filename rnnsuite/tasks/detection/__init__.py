"""Events and anomalies in series: scores at every step, thresholds, and how good both are."""
