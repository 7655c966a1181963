"""Kinds of tasks: what applications of one kind share. Here parts and pipeline meet."""
