"""Speech commands on a device: a sound to a word, or a live microphone to words, with
ai-edge-litert and numpy alone.

    python speech_commands.py FOLDER SOUND.wav ... [--file dynamic.tflite]
    python speech_commands.py FOLDER --stream SOUND.wav
    python speech_commands.py FOLDER --microphone          needs sounddevice; ends with Ctrl-C

FOLDER is what `rnnsuite export` wrote: saved_models/speech_commands/lite/1.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from the bytes of a WAV file to the probability of every word."""
    sys.path.insert(0, str(folder))
    import sound
    from runner import LiteModel

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "sound.json").read_text(encoding="utf-8"))
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    model = LiteModel(str(folder / file), "clip")

    def answer(content):
        samples = sound.clip(content, settings["clip_samples"])[None]
        return dict(zip(labels, model(samples=samples)["probabilities"][0].tolist(), strict=True))

    return answer


def follow(folder, blocks, file="dynamic.tflite"):
    """Words in a stream, as they end. blocks: of 320 samples at 16 kHz, 20 ms each."""
    sys.path.insert(0, str(folder))
    from events import Detector
    from runner import LiteModel

    folder = pathlib.Path(folder)
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    model = LiteModel(str(folder / file), "stream")
    # This signature keeps nothing by itself: its states begin as zeros, come out, and go in again.
    states = model.file.zeros("stream")
    del states["samples"]
    background = [label for label in labels if label.startswith("_")]
    detector = Detector(labels, background, step=0.02, tail=0.1)
    for block in blocks:
        outputs = model(samples=block[None], **states)
        states = {name: outputs[name] for name in states}
        yield from detector.feed(outputs["probabilities"])
    yield from detector.end()


def blocks_of(folder, content):
    """The bytes of a WAV file in blocks of 320 samples, the last filled with silence."""
    sys.path.insert(0, str(folder))
    import sound

    samples, rate = sound.read(content)
    samples = sound.resample(samples, rate, len(samples) * sound.RATE // rate)
    return np.pad(samples, (0, -len(samples) % 320)).reshape(-1, 320)


def microphone():
    """Blocks of 320 samples of the default microphone."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        sys.exit(f"The microphone needs sounddevice ({error}): pip install sounddevice")

    with sounddevice.InputStream(16_000, 320, channels=1, dtype="float32") as stream:
        while True:
            yield stream.read(320)[0][:, 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("sounds", nargs="*")
    parser.add_argument("--file", default="dynamic.tflite")
    parser.add_argument("--stream", metavar="SOUND.wav")
    parser.add_argument("--microphone", action="store_true")
    arguments = parser.parse_args()
    if arguments.stream or arguments.microphone:
        content = pathlib.Path(arguments.stream).read_bytes() if arguments.stream else b""
        blocks = microphone() if arguments.microphone else blocks_of(arguments.folder, content)
        try:
            for event in follow(arguments.folder, blocks, arguments.file):
                print(
                    f"{event.start:7.2f} to {event.end:.2f} s  "
                    f"{event.label} {event.confidence:.2f}",
                    flush=True,
                )
        except KeyboardInterrupt:
            pass
        return
    answer = load(arguments.folder, arguments.file)
    for path in arguments.sounds:
        probabilities = answer(pathlib.Path(path).read_bytes())
        word = max(probabilities, key=probabilities.get)
        print(f"{word} {probabilities[word]:.3f}  {path}")


if __name__ == "__main__":
    main()
