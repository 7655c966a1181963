"""What an observation of a stream costs, in time and in memory, form by form.

    python benchmarks/anomaly_detection.py saved_models/anomaly_detection/1 \
        saved_models/anomaly_detection/lite/1/dynamic.tflite [--observations 1000000]

The stream is a noisy daily wave with a spike now and then. Each form is fed one observation at a
time; microseconds are of the whole, memory is the process's peak after a thousand observations and
at the end.
"""

import argparse
import pathlib
import resource
import time

import numpy as np

from rnnsuite import catalog
from rnnsuite.device.follow import Follower
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.inference.session import Session

APP = catalog.find("anomaly_detection")
WARM = 1000
MIB = 1024


def stream(count, channels):
    """Observations `[1, 1, channels]`, one after another."""
    rng = np.random.default_rng(0)
    for place in range(count):
        row = np.sin(2 * np.pi * place / 288) + 0.1 * rng.normal(size=channels)
        if rng.random() < 1e-4:
            row += 5
        yield row.astype(np.float32)[None, None]


def peak():
    """MiB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def follow(step, count, channels):
    """Microseconds an observation, MiB after some and at the end, and alarms."""
    alarms = 0
    begun = 0.0
    early = 0.0
    for place, values in enumerate(stream(count + WARM, channels)):
        if place == WARM:
            early = peak()
            begun = time.perf_counter()
        alarms += bool(step(values)["alarm"][0, 0])
    seconds = time.perf_counter() - begun
    return 1e6 * seconds / count, early, peak(), alarms


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--observations", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"{'form':20} {'us each':>9} {'MiB at 1,000':>13} {'MiB at the end':>15} {'alarms':>7}")
    for path in options.models:
        channels = len(fitted_of(APP, path).names)
        if path.suffix == ".tflite":
            follower = Follower(str(path), "stream")

            def step(values, follower=follower):
                return follower.step(values=values)

        else:
            session = Session(APP, path, "stream")

            def step(values, session=session):
                return session({"values": values})

        each, early, late, alarms = follow(step, options.observations, channels)
        print(f"{path.name:20} {each:9.1f} {early:13.1f} {late:15.1f} {alarms:7d}", flush=True)


if __name__ == "__main__":
    main()
