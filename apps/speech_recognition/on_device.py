"""Speech recognition on a device: a sound file, or a live microphone, to text, with
ai-edge-litert and numpy alone.

    python speech_recognition.py FOLDER SOUND.wav ... [--file dynamic.tflite] [--beam 8]
    python speech_recognition.py FOLDER --stream SOUND.wav
    python speech_recognition.py FOLDER --microphone          needs sounddevice; ends with Ctrl-C

FOLDER is what `rnnsuite export` wrote: saved_models/speech_recognition/lite/1.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def read_settings(folder):
    """Symbols, rates and steps, and the symbols as an alphabet."""
    sys.path.insert(0, str(folder))
    from transcribe import Alphabet

    path = pathlib.Path(folder) / "alphabet.json"
    return json.loads(path.read_text(encoding="utf-8")), Alphabet.load(path)


def load(folder, file="dynamic.tflite", beam=8):
    """A function from the bytes of a WAV file to its text. beam: 1 for the likeliest symbols."""
    settings, alphabet = read_settings(folder)
    import sound
    from runner import LiteModel
    from transcribe import PrefixSearch, greedy

    model = LiteModel(str(pathlib.Path(folder) / file), "sound")

    def answer(content):
        samples = sound.whole(content, settings["hop"])
        logs = model(samples=samples[None])["log_probabilities"][0]
        if beam == 1:
            return alphabet.text(greedy(logs)[0])
        search = PrefixSearch(beam)
        for row in logs:
            search.feed(row)
        return alphabet.text(search.best[0])

    return answer


def follow(folder, blocks, file="dynamic.tflite", beam=8):
    """What is said in a stream, as `transcribe.Transcriber` tells it.

    blocks: of `chunk` samples at 16 kHz, see alphabet.json.
    """
    settings, alphabet = read_settings(folder)
    from runner import LiteModel
    from transcribe import Transcriber

    model = LiteModel(str(pathlib.Path(folder) / file), "stream")
    # This signature keeps nothing by itself: its states begin as zeros, come out, and go in again.
    states = model.file.zeros("stream")
    del states["samples"]
    seconds = settings["hop"] / settings["rate"]
    transcriber = Transcriber(alphabet, seconds, settings["ahead"], beam)
    for block in blocks:
        outputs = model(samples=block[None], **states)
        states = {name: outputs[name] for name in states}
        yield from transcriber.feed(outputs["log_probabilities"][0])
    yield from transcriber.end()


def blocks_of(folder, content):
    """The bytes of a WAV file in blocks, and behind them the silence that last words wait for."""
    settings, _ = read_settings(folder)
    import sound

    size = settings["chunk"]
    silence = -(-settings["ahead"] * settings["hop"] // size) * size
    samples = np.concatenate([sound.whole(content, size), np.zeros(silence, np.float32)])
    return samples.reshape(-1, size)


def microphone(size):
    """Blocks of so many samples of the default microphone."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        sys.exit(f"The microphone needs sounddevice ({error}): pip install sounddevice")

    with sounddevice.InputStream(16_000, size, channels=1, dtype="float32") as stream:
        while True:
            yield stream.read(size)[0][:, 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("sounds", nargs="*")
    parser.add_argument("--file", default="dynamic.tflite")
    parser.add_argument("--beam", type=int, default=8)
    parser.add_argument("--stream", metavar="SOUND.wav")
    parser.add_argument("--microphone", action="store_true")
    arguments = parser.parse_args()
    if arguments.stream or arguments.microphone:
        if arguments.microphone:
            blocks = microphone(read_settings(arguments.folder)[0]["chunk"])
        else:
            blocks = blocks_of(arguments.folder, pathlib.Path(arguments.stream).read_bytes())
        try:
            for event in follow(arguments.folder, blocks, arguments.file, arguments.beam):
                if event["is_final"]:
                    print(f"{event['start']:7.2f} to {event['end']:.2f} s  {event['text']}")
                elif event["text"]:
                    print(f"  ... {event['text']}", flush=True)
        except KeyboardInterrupt:
            pass
        return
    answer = load(arguments.folder, arguments.file, arguments.beam)
    for path in arguments.sounds:
        print(f"{answer(pathlib.Path(path).read_bytes())}  {path}")


if __name__ == "__main__":
    main()
