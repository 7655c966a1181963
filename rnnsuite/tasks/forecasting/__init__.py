"""Forecasting: quantiles of the values that follow, how good they are, and cheap rivals."""
