"""Sentiment by words without their order: what tests train that are not about the model."""

import dataclasses

from rnnsuite import catalog

from .model import MODEL

APP = dataclasses.replace(catalog.find("sentiment"), name="bag", model=MODEL)
