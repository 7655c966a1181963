"""Runs a .tflite file with ai-edge-litert and numpy alone.

This file travels with every on-device export. As a program:
python runner.py MODEL.tflite REQUESTS.npz ANSWERS.npz [SIGNATURE], where the arrays are named
`<number>/<input>` and `<number>/<output>`; `--runtime compiled` takes the other runtime.
"""

import argparse
import os
import re

import numpy as np

RUNTIMES = ("interpreter", "compiled")
LENGTH = "length"
"""An input that a caller need not give: how long the others are, before zeros fill them up."""


class LiteFile:
    """The signatures of a .tflite file, by one of LiteRT's two runtimes.

    In a portable file, every input has one size. A signature of any length is there once for each
    of several lengths: `<name>_64`, `<name>_256` and so on. `run(name)` takes the shortest one
    that the inputs fit into, puts zeros behind them, and cuts the outputs to their own length.

    Args:
        path: of the file; where there is no `<kind>.tflite`, `portable_<kind>.tflite` beside it is
            taken, which every runtime runs.
        threads: that one call uses.
        runtime: "interpreter", which runs all files; "compiled", LiteRT's CompiledModel, which
            refuses files with fused LSTMs; or a class like the two of this module.

    Raises:
        ValueError: for another runtime, or no .tflite file.
        RuntimeError: for a file that CompiledModel refuses.
    """

    def __init__(self, path: str, threads: int = 1, runtime: "str | type" = "interpreter"):
        known = dict(zip(RUNTIMES, (_Interpreted, _Compiled)))  # noqa: B905 - Python 3.9 on devices
        if runtime not in known and not callable(runtime):
            raise ValueError(f"runtime must be one of {', '.join(RUNTIMES)}, not {runtime!r}")
        self.path = _there(path)
        self.engine = known.get(runtime, runtime)(self.path, threads)
        self.signatures = self.engine.signatures
        found = [(re.fullmatch(r"(.+)_(\d+)", name), name) for name in self.signatures]
        by_name: dict[str, dict[int, str]] = {}
        for size, name, key in sorted((int(m[2]), m[1], key) for m, key in found if m):
            by_name.setdefault(name, {})[size] = key
        self.by_length = {name: keys for name, keys in sorted(by_name.items()) if len(keys) > 1}
        several = {key for keys in self.by_length.values() for key in keys.values()}
        self.names = [name for name in self.signatures if name not in several] + [*self.by_length]

    def lengths(self, name: str) -> "dict[int, str]":
        """The signatures of so many lengths that together are `name`, the shortest first."""
        return self.by_length.get(name, {})

    def check(self, name: str) -> None:
        """Raises ValueError for a signature that the file does not have."""
        if name not in self.names and name not in self.signatures:
            names = ", ".join(self.names)
            raise ValueError(f"{self.path} has no signature {name!r}; it has {names}")

    def inputs(self, name: str) -> "list[str]":
        """The names of what a signature takes, but for the length."""
        key = name if name in self.signatures else next(iter(self.lengths(name).values()))
        return sorted(set(self.signatures[key][0]) - {LENGTH})

    def run(self, name: str, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        """The outputs of a signature by name.

        Args:
            name: of the signature.
            inputs: arrays by name, with a batch of one.

        Returns:
            Arrays by name.

        Raises:
            ValueError: for inputs that are longer than the file's longest.
        """
        if name in self.signatures:
            return self.engine.run(name, inputs)
        by_length = self.lengths(name)
        axes, length = self._lengthened(by_length, inputs)
        fitting = [longest for longest in by_length if longest >= length]
        if not fitting:
            raise ValueError(
                f"{self.path}: {name} takes at most {max(by_length)} steps, not {length}"
            )
        size = fitting[0]
        key = by_length[size]
        takes, gives = self.signatures[key]
        filled = {
            each: _filled(value, size) if each in axes else value for each, value in inputs.items()
        }
        if LENGTH in takes:
            filled[LENGTH] = np.array([length], np.int32)
        outputs = self.engine.run(key, filled)
        _, others = self.signatures[next(each for each in by_length.values() if each != key)]
        for output, shape in gives.items():
            if shape != others[output]:  # of this length: as many steps as the inputs have
                outputs[output] = outputs[output][:, : length * shape[1] // size]
        return outputs

    def _lengthened(self, by_length: "dict[int, str]", inputs) -> "tuple[set, int]":
        """The inputs that have the length as an axis, and how long they are."""
        first, second, *_ = (self.signatures[key][0] for key in by_length.values())
        axes = {name for name in first if name != LENGTH and first[name] != second[name]}
        sizes = {np.shape(inputs[name])[1] for name in axes}
        if len(sizes) != 1:
            raise ValueError(f"{', '.join(sorted(axes))} must have one length, not {sorted(sizes)}")
        return axes, sizes.pop()

    def zeros(self, name: str) -> "dict[str, np.ndarray]":
        """What a signature of one size takes, filled with zeros."""
        takes, _ = self.signatures[name]
        return {key: np.zeros(shape, kind) for key, (shape, kind) in takes.items()}

    def reset(self) -> None:
        """Has a fused LSTM forget what it read before; other files remember nothing."""
        self.engine.reset()


def _there(path: str) -> str:
    """The path, or where there is no such file that of the portable one beside it."""
    folder, name = os.path.split(path)
    portable = os.path.join(folder, f"portable_{name}")
    return portable if not os.path.exists(path) and os.path.exists(portable) else path


class _Interpreted:
    """LiteRT's first runtime, with tensors that outlive a call.

    A fused LSTM keeps its state from one call to the next, so that the same input would be answered
    differently the second time.

    Files that take inputs of any length run without XNNPACK, LiteRT's default: with it, an input
    longer than all before it is now and then answered wrongly (ai-edge-litert 2.3, decision 74).
    """

    def __init__(self, path: str, threads: int):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        plain = {"experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
        for options in (plain, {}):
            self.interpreter = Interpreter(model_path=path, num_threads=threads, **options)
            names = self.interpreter.get_signature_list()
            self.runners = {name: self.interpreter.get_signature_runner(name) for name in names}
            inputs = [runner.get_input_details() for runner in self.runners.values()]
            if any(-1 in v["shape_signature"][1:] for details in inputs for v in details.values()):
                break
        self.signatures = {}
        for name, runner in self.runners.items():
            takes = runner.get_input_details()
            gives = runner.get_output_details()
            self.signatures[name] = (
                {key: (tuple(v["shape"].tolist()), v["dtype"]) for key, v in takes.items()},
                {key: tuple(v["shape"].tolist()) for key, v in gives.items()},
            )
        self.is_used = False

    def run(self, name: str, inputs) -> "dict[str, np.ndarray]":
        self.is_used = True
        return {key: np.array(value) for key, value in self.runners[name](**inputs).items()}

    def reset(self) -> None:
        if not self.is_used:  # nothing is allocated, and states start at zero
            return
        try:
            self.interpreter.reset_all_variables()
        except RuntimeError:  # another signature's states have no memory before it has run
            for name, (takes, _) in self.signatures.items():
                zeros = {key: np.zeros(shape, kind) for key, (shape, kind) in takes.items()}
                self.runners[name](**zeros)
            self.interpreter.reset_all_variables()


class _Compiled:
    """LiteRT's second runtime, CompiledModel. It has no state."""

    def __init__(self, path: str, threads: int):
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.hardware_accelerator import HardwareAccelerator
        from ai_edge_litert.options import CpuOptions, Options

        options = Options(
            hardware_accelerators=HardwareAccelerator.CPU,
            cpu_options=CpuOptions(num_threads=threads),
        )
        self.model = CompiledModel.from_file(path, options=options)
        self.signatures = {}
        self.buffers = {}
        self.types = {}
        for name in self.model.get_signature_list():
            takes = self.model.get_input_tensor_details(name)
            gives = self.model.get_output_tensor_details(name)
            self.signatures[name] = (
                {key: (tuple(v["shape"]), np.dtype(v["dtype"])) for key, v in takes.items()},
                {key: tuple(v["shape"]) for key, v in gives.items()},
            )
            self.types[name] = {key: np.dtype(v["dtype"]) for key, v in gives.items()}

    def run(self, name: str, inputs) -> "dict[str, np.ndarray]":
        takes, gives = self.signatures[name]
        if name not in self.buffers:
            self.buffers[name] = (
                {key: self.model.create_input_buffer_by_name(name, key) for key in takes},
                {key: self.model.create_output_buffer_by_name(name, key) for key in gives},
            )
        given, results = self.buffers[name]
        for key, (shape, kind) in takes.items():
            value = np.ascontiguousarray(inputs[key], kind)
            if value.shape != shape:
                raise ValueError(f"{key} must have the shape {shape}, not {value.shape}")
            given[key].write(value)
        self.model.run_by_name(name, given, results)
        return {
            key: results[key].read(int(np.prod(shape)), self.types[name][key]).reshape(shape)
            for key, shape in gives.items()
        }

    def reset(self) -> None:
        pass


def _filled(value: np.ndarray, size: int) -> np.ndarray:
    """`[batch, n, ...]` with zeros behind, up to so many."""
    value = np.asarray(value)
    filled = np.zeros((len(value), size, *value.shape[2:]), value.dtype)
    filled[:, : value.shape[1]] = value
    return filled


class LiteModel:
    """A signature of a .tflite file: `model(name=array, ...)` gives `{name: array}`.

    Args:
        path: of the file.
        signature: one of the file's; by default the first.
        threads: that one call uses.
        runtime: see `LiteFile`.

    Raises:
        ValueError: for a signature that the file does not have, or other inputs than it takes.
    """

    def __init__(
        self,
        path: str,
        signature: "str | None" = None,
        threads: int = 1,
        runtime: "str | type" = "interpreter",
    ):
        self.file = LiteFile(path, threads, runtime)
        self.signature = signature or self.file.names[0]
        self.file.check(self.signature)
        self.inputs = self.file.inputs(self.signature)

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        if sorted(inputs) != self.inputs:
            wanted = ", ".join(self.inputs)
            raise ValueError(f"inputs must be {wanted}, not {', '.join(sorted(inputs))}")
        self.file.reset()
        return self.file.run(self.signature, **inputs)


def open_model(
    path: str,
    signature: "str | None" = None,
    runtime: "str | type" = "interpreter",
) -> LiteModel:
    """The file as a function of arrays."""
    return LiteModel(path, signature, runtime=runtime)


def main(open_model) -> None:
    """A program that answers every request in a file, by `open_model(path, signature, runtime)`."""
    parser = argparse.ArgumentParser()
    for name in ("model", "requests", "answers"):
        parser.add_argument(name)
    parser.add_argument("signature", nargs="?")
    parser.add_argument("--runtime", choices=RUNTIMES, default=RUNTIMES[0])
    options = parser.parse_args()
    model = open_model(options.model, options.signature, options.runtime)
    grouped: dict[str, dict[str, np.ndarray]] = {}
    with np.load(options.requests, allow_pickle=False) as stored:
        for name in sorted(stored.files, key=lambda name: int(name.split("/")[0])):
            number, key = name.split("/")
            grouped.setdefault(number, {})[key] = stored[name]
    outputs = {}
    for number, inputs in grouped.items():
        for name, value in model(**inputs).items():
            outputs[f"{number}/{name}"] = value
    np.savez(options.answers, **outputs)


if __name__ == "__main__":
    main(open_model)
