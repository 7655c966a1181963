"""Recordings to text: what applications have in common that write down what is said."""
