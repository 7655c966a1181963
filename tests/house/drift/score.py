"""The mean squared error, which is better when it is lower."""

import numpy as np

from rnnsuite.app import Score, Scoring


def score(references, answers, fitted):
    truth = np.array([record["target"] for record in references])
    error = np.asarray(answers["value"]) - truth
    return Score({"mse": float(np.mean(np.square(error)))})


SCORING = Scoring(score=score, metrics={"mse": "min"}, primary="mse")
