"""Answers of a trained model, whatever form it has, and their scores."""
