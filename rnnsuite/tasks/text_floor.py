"""The cheap classifier of texts: word n-grams weighted by naive Bayes, logistic regression."""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse
from sklearn import metrics
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

NAME = "naive-Bayes-weighted word 1-3-grams, logistic regression"
WORDS = r"(?u)\b\w+\b|[^\w\s]"
"""Words and punctuation marks."""


def naive_bayes_floor(
    texts: Sequence[str],
    labels: Sequence[str],
    held_out: Sequence[str],
    truth: Sequence[str],
    regularisation: float = 1.0,
) -> Mapping[str, float | str]:
    """Accuracy and macro F1 of a linear model (NBSVM, Wang & Manning, ACL 2012, section 2).

    Whether an n-gram occurs is multiplied by the logarithm of how much more often it does in a
    class than in the others.

    Args:
        texts, labels: of train.
        held_out, truth: what is scored.
        regularisation: C of the logistic regression.

    Returns:
        `model`, its name, `accuracy` and `macro_f1`.
    """
    counter = CountVectorizer(ngram_range=(1, 3), binary=True, token_pattern=WORDS, min_df=1)
    occurs = scipy.sparse.csr_matrix(counter.fit_transform(texts), dtype=np.float64)
    to_score = scipy.sparse.csr_matrix(counter.transform(held_out), dtype=np.float64)
    names = sorted(set(labels))
    weights, biases = linear_classifier(occurs, np.array(labels), names, regularisation)
    scores = to_score @ weights + biases
    if len(names) == 2:
        predicted = np.where(scores[:, 0] > 0, names[1], names[0])
    else:
        predicted = np.array(names)[np.argmax(scores, axis=1)]
    return {
        "model": NAME,
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "macro_f1": float(metrics.f1_score(truth, predicted, average="macro")),
    }


def linear_classifier(
    occurs: scipy.sparse.csr_matrix,
    labels: np.ndarray,
    names: Sequence[str],
    regularisation: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on occurrences that are weighted by naive Bayes, one class at a time.

    Args:
        occurs: whether each text has each n-gram `[texts, n-grams]`, 0 or 1.
        labels: the class of each text.
        names: the classes.
        regularisation: C of the logistic regression.

    Returns:
        Weights `[n-grams, classes]` and biases `[classes]`, whose scores are the logarithm of the
        odds of each class against the others; of two classes, of the second alone.
    """
    weights = []
    biases = []
    for name in names[1:] if len(names) == 2 else names:
        is_class = labels == name
        ratio = _log_ratio(occurs, is_class)
        model = LogisticRegression(C=regularisation, solver="liblinear", dual=True, max_iter=200)
        model.fit(occurs.multiply(ratio).tocsr(), is_class)
        weights.append((ratio * model.coef_)[0])
        biases.append(model.intercept_)
    return np.stack(weights, axis=1), np.concatenate(biases)


def _log_ratio(occurs: scipy.sparse.csr_matrix, is_class: np.ndarray) -> np.ndarray:
    """Of every n-gram `[1, n-grams]`, with one occurrence added on either side."""
    inside = 1.0 + np.asarray(occurs[is_class].sum(axis=0))
    outside = 1.0 + np.asarray(occurs[~is_class].sum(axis=0))
    return np.log((inside / inside.sum()) / (outside / outside.sum()))
