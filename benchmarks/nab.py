"""NAB's score of a detector whose results are published, as `rnnsuite.tasks.detection.nab` has it.

python benchmarks/nab.py FOLDER      # the Numenta Anomaly Benchmark's repository, or a copy
"""

import pathlib
import sys

import numpy as np
from scipy.special import erfc

from rnnsuite.data.channel_layouts import read_channels
from rnnsuite.data.channels import ChannelsConfig
from rnnsuite.tasks.detection.nab import Scored, report

PUBLISHED = {
    "standard": 39.6,
    "reward_low_FP_rate": 20.9,
    "reward_low_FN_rate": 47.4,
}
"""Of the board in the repository's README, for its windowed Gaussian detector."""
WINDOW = 6400
STEP = 100
DIGITS = 12
"""Of the scores in the benchmark's result files."""


def windowed_gaussian(values: np.ndarray) -> np.ndarray:
    """One minus the tail of a normal distribution whose mean and deviation are those of the last
    `WINDOW` values, found anew with every value until the window is full, then every `STEP`.

    Args:
        values: `[time]`.

    Returns:
        Scores `[time]`, 0 for the first value.
    """
    scores = np.zeros(len(values))
    known = 0
    for place in range(1, len(values)):
        if place <= WINDOW or (place - WINDOW) % STEP == 0:
            known = place
        recent = values[max(known - WINDOW, 0) : known]
        distance = abs(values[place] - recent.mean()) / (recent.std() or 1e-6)
        # The detector divides by 1.4142, not by the square root of 2.
        scores[place] = 1 - 0.5 * erfc(distance / 1.4142)
    return np.round(scores, DIGITS)


def main() -> None:
    """Prints the score of every profile beside the published one."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    config = ChannelsConfig()
    (series,) = read_channels(pathlib.Path(sys.argv[1]), config).values()
    corpus = [
        Scored(windowed_gaussian(each.values[:, 0].astype(np.float64)), each.anomalies or ())
        for each in series
    ]
    print(f"{len(corpus)} series, windowed Gaussian")
    for name, swept in report(corpus).items():
        print(f"{name:20} {swept.score:6.2f}   published {PUBLISHED[name]}")


if __name__ == "__main__":
    main()
