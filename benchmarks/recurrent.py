"""Times recurrent layers side by side: rnnsuite's, Keras's, PyTorch's and ONNX Runtime's.

    python benchmarks/recurrent.py --json recurrent.json

PyTorch and ONNX Runtime (for inference; it needs onnx, too) take part where they are installed;
xla is rnnsuite without its native kernel. Every library has a process of its own with the same
number of threads. Within a case the libraries take turns, several rounds, and the minimum counts.
Memory is the peak that a training step adds to a process which has already run a tiny one and this
one once; what tracing and compiling took and gave back is not in it. Masked cases have lengths
uniform in [T/4, T]. Inference is timed in the process and, as `served`, from a SavedModel that
holds stock operations only.
"""

import argparse
import ctypes
import importlib.util
import itertools
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time

SHAPES = [
    (1, 100, 64, 128),
    (32, 100, 128, 128),
    (64, 200, 128, 256),
    (128, 50, 64, 64),
    (16, 400, 64, 64),
]
BATCHES = [(batch, 100, 128, 256) for batch in (1, 4, 16, 64, 256)]
"""Shapes that differ in nothing but the batch."""
RIVALS = ("xla", "keras", "torch", "onnx")
GATES = {"LSTM": 4, "GRU": 3}


def tensorflow_case(library, cell, shape, both, masked, task):
    """A function that does the task once."""
    import keras
    import numpy as np
    import tensorflow as tf

    import rnnsuite.layers

    batch, time_, features, units = shape
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(batch, time_, features)), tf.float32)
    layers = keras.layers if library == "keras" else rnnsuite.layers
    layer = getattr(layers, cell)(units, return_sequences=True)
    layer = layers.Bidirectional(layer) if both else layer
    layer.build(x.shape)
    upstream = tf.constant(random.normal(size=(batch, time_, units * (1 + both))), tf.float32)
    lengths = random.integers(time_ // 4, time_ + 1, batch)
    mask = tf.sequence_mask(lengths, time_) if masked else None

    if task == "served":
        return _served(layer, x, mask)

    @tf.function
    def step(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, mask=mask, training=True) * upstream)
        return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])

    @tf.function
    def infer(x, upstream):
        return [layer(x, mask=mask, training=False)]

    run = step if task == "train" else infer
    return lambda: run(x, upstream)[0].numpy()


def _served(layer, x, mask):
    import tensorflow as tf

    from rnnsuite.layers import exporting

    module = tf.Module()
    module.weights = [weight.value for weight in layer.weights]
    signature = [tf.TensorSpec([None, None, x.shape[-1]])]
    if mask is not None:
        signature.append(tf.TensorSpec([None, None], tf.bool))
    module.answer = tf.function(lambda x, mask=None: layer(x, mask=mask), input_signature=signature)
    with tempfile.TemporaryDirectory() as folder, exporting("served"):
        tf.saved_model.save(module, folder)
        loaded = tf.saved_model.load(folder)
    rows = [x] if mask is None else [x, mask]
    run = lambda: loaded.answer(*rows).numpy()  # noqa: E731
    run.kept = loaded
    return run


def torch_case(cell, shape, both, task):
    import torch

    batch, time_, features, units = shape
    x = torch.randn(batch, time_, features, requires_grad=task == "train")
    layer = getattr(torch.nn, cell)(features, units, batch_first=True, bidirectional=both)
    upstream = torch.randn(batch, time_, units * (1 + both))

    def step():
        layer.zero_grad(set_to_none=True)
        x.grad = None
        (layer(x)[0] * upstream).sum().backward()
        return x.grad[0, 0, 0].item()

    def infer():
        with torch.inference_mode():
            return layer(x)[0][0, 0, 0].item()

    return step if task == "train" else infer


def onnx_case(cell, shape, both):
    """The layer alone, of time-major inputs, which ONNX Runtime takes as they are."""
    import numpy as np
    import onnx
    import onnxruntime

    batch, time_, features, units = shape
    random = np.random.default_rng(0)
    ways, gates = 1 + both, GATES[cell]
    weights = {
        "W": random.normal(size=(ways, gates * units, features)) / features**0.5,
        "R": random.normal(size=(ways, gates * units, units)) / units**0.5,
        "B": random.normal(size=(ways, 2 * gates * units)),
    }
    options = {"linear_before_reset": 1} if cell == "GRU" else {}
    direction = "bidirectional" if both else "forward"
    node = onnx.helper.make_node(
        cell, ["X", *weights], ["Y"], hidden_size=units, direction=direction, **options
    )
    graph = onnx.helper.make_graph(
        [node],
        cell,
        [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, (time_, batch, features))],
        [onnx.helper.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(w.astype("float32"), name) for name, w in weights.items()],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
    )
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = int(os.environ["BENCHMARK_THREADS"])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    x = random.normal(size=(time_, batch, features)).astype("float32")
    return lambda: session.run(None, {"X": x})


def matmul_peak():
    """GFLOP/s of the fastest large matrix product."""
    import tensorflow as tf

    a = tf.random.normal([2048, 2048])
    run = lambda: tf.matmul(a, a)[0, 0].numpy()  # noqa: E731
    return 2 * 2048**3 / least(run, 2.0) / 1e9


def peak_of(build, case):
    """MiB that training steps add to a process which has already run a tiny one (Linux), compiling
    apart.
    """
    batch, _, features, units = case["shape"]
    tiny = build({**case, "shape": [min(batch, 16), 2, features, units]})
    tiny(), tiny()
    libc = ctypes.CDLL("libc.so.6")
    libc.malloc_trim(0)
    before = _status("VmRSS")
    run = build(case)
    run()
    libc.malloc_trim(0)  # what tracing and compiling left behind
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the high-water mark starts anew
    for _ in range(3):
        run()
    return (_status("VmHWM") - before) / 1024


def _status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def least(run, seconds):
    best, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end or best == math.inf:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def worker(library, threads):
    """Answers one JSON line for each it reads."""
    if library == "torch":
        import torch

        torch.set_num_threads(threads)
    elif library != "onnx":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)

    def build(case):
        if library == "torch":
            return torch_case(case["cell"], case["shape"], case["both"], case["task"])
        if library == "onnx":
            return onnx_case(case["cell"], case["shape"], case["both"])
        return tensorflow_case(
            library, *(case[k] for k in ("cell", "shape", "both", "masked", "task"))
        )

    run = None
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        if order["do"] == "matmul":
            answer["gflops"] = matmul_peak()
        elif order["do"] == "peak":
            answer["peak"] = peak_of(build, order["case"])
        elif order["do"] == "time":
            answer["seconds"] = least(run, order["seconds"])
        else:
            start = time.perf_counter()
            run = build(order["case"])
            run()
            answer["first"] = time.perf_counter() - start
            run(), run()
        print(json.dumps(answer), flush=True)


class Worker:
    def __init__(self, library, threads):
        command = [sys.executable, __file__, "--worker", library, "--threads", str(threads)]
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "BENCHMARK_THREADS": str(threads),
            **({"RNNSUITE_SCAN": "xla"} if library == "xla" else {}),
        }
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(case, workers, threads, rounds, seconds, memory):
    """Seconds of a run and of the first one, and MiB that a training step adds, by library."""
    result = {library: worker.ask(do="build", case=case) for library, worker in workers.items()}
    for _, (library, worker) in itertools.product(range(rounds), workers.items()):
        took = worker.ask(do="time", seconds=seconds)["seconds"]
        result[library]["seconds"] = min(took, result[library].get("seconds", math.inf))
    for library in workers if memory else ():
        fresh = Worker(library, threads)
        result[library]["peak"] = fresh.ask(do="peak", case=case)["peak"]
        fresh.end()
    return result


def cases(tasks, shapes):
    for task, masked, cell, both, shape in itertools.product(
        tasks, (False, True), GATES, (False, True), shapes
    ):
        yield {"task": task, "masked": masked, "cell": cell, "both": both, "shape": shape}


def flops(case):
    """Of the matrix products: one forward, two more backward, in every direction."""
    batch, time_, features, units = case["shape"]
    once = 2 * batch * time_ * (features + units) * GATES[case["cell"]] * units
    return once * (1 + case["both"]) * (3 if case["task"] == "train" else 1)


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def report(results, peak):
    for task, masked in itertools.product(
        dict.fromkeys(r["case"]["task"] for r in results), (False, True)
    ):
        rows = [r for r in results if (r["case"]["task"], r["case"]["masked"]) == (task, masked)]
        if not rows:
            continue
        print(f"\n{task}, {'masked' if masked else 'unmasked'}; milliseconds\n")
        rivals = [name for name in RIVALS if any(name in row["times"] for row in rows)]
        titles = ["layer", "batch x time x in -> units", "rnnsuite", *rivals]
        titles += [
            "of matmul peak",
            "MiB a step, rnnsuite / Keras",
            "first call, s, rnnsuite / Keras",
        ]
        print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
        for row in rows:
            print(_line(row, rivals, peak))
        for rival in rivals:
            ratios = [
                r["times"][rival]["seconds"] / r["times"]["rnnsuite"]["seconds"]
                for r in rows
                if rival in r["times"]
            ]
            if ratios:
                print(
                    f"\n{rival} over rnnsuite: geometric mean {geometric_mean(ratios):.2f}, least "
                    f"{min(ratios):.2f}"
                )
        for name, what in [
            ("peak", "memory of a step"),
            ("process", "memory of the process, compiler and all"),
        ]:
            ratios = [_memory(row["times"], name) for row in rows if name in row["times"]["keras"]]
            if ratios:
                print(
                    f"{what}, rnnsuite over Keras: geometric mean {geometric_mean(ratios):.2f}, "
                    f"most {max(ratios):.2f}"
                )


def _memory(times, name):
    return times["rnnsuite"][name] / times["keras"][name]


def _line(row, rivals, peak):
    """Milliseconds of ours, and of each rival the ratio to it."""
    case, times = row["case"], row["times"]
    ours = times["rnnsuite"]["seconds"]
    name = ("Bi" if case["both"] else "") + case["cell"]
    batch, time_, features, units = case["shape"]
    ratios = (f"{times[r]['seconds'] / ours:.2f}" if r in times else "" for r in rivals)
    cells = [
        name,
        f"{batch} x {time_} x {features} -> {units}",
        f"{ours * 1e3:.2f}",
        *ratios,
        f"{flops(case) / ours / 1e9 / peak:.0%}",
        f"{times['rnnsuite']['peak']:.0f} / {times['keras']['peak']:.0f}"
        if "peak" in times["keras"]
        else "",
        f"{times['rnnsuite']['first']:.1f} / {times['keras']['first']:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def processor():
    """Its name and the instruction sets that matter here (Linux)."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return platform.machine()
    found = {key.strip(): value.strip() for key, value in lines.items()}
    flags = set(found.get("flags", "").split())
    sets = [name for name in ("avx512f", "avx512_bf16", "avx2", "fma") if name in flags]
    return f"{found.get('model name', platform.machine())} ({', '.join(sets)})"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        default=["train", "infer", "served"],
        choices=["train", "infer", "served"],
    )
    parser.add_argument(
        "--shapes",
        nargs="+",
        type=int,
        help="numbers (from 0) of the shapes to run; from 5 on, 100 x 128 -> 256 in batches",
        default=range(len(SHAPES) + len(BATCHES)),
    )
    parser.add_argument("--plain", action="store_true", help="unmasked cases only")
    parser.add_argument("--without", nargs="+", default=[], choices=RIVALS, help="leave them out")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.4, help="per library and round")
    parser.add_argument(
        "--memory", action="store_true", help="measure memory too, in fresh processes"
    )
    parser.add_argument("--json", help="write the results to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options.threads)
    needed = {"torch": ("torch",), "onnx": ("onnx", "onnxruntime")}
    names = [
        name
        for name in ("rnnsuite", *RIVALS)
        if name not in options.without and all(map(importlib.util.find_spec, needed.get(name, ())))
    ]
    workers = {library: Worker(library, options.threads) for library in names}
    peak = workers["rnnsuite"].ask(do="matmul")["gflops"]
    print(
        f"{processor()}, {options.threads} threads; largest matrix product {peak:.0f} GFLOP/s",
        flush=True,
    )
    results = []
    shapes = [*SHAPES, *BATCHES]
    for case in cases(options.tasks, [shapes[k] for k in options.shapes]):
        plain = not case["masked"]
        if options.plain and not plain:
            continue
        task = case["task"]
        takes_part = {
            "torch": plain and task != "served",
            "onnx": plain and task == "infer",
            "xla": task != "served",
        }
        chosen = {k: w for k, w in workers.items() if takes_part.get(k, True)}
        memory = options.memory and case["task"] == "train"
        times = measure(case, chosen, options.threads, options.rounds, options.seconds, memory)
        results.append({"case": case, "times": times})
        print(
            case["task"],
            "" if plain else "masked",
            _line(results[-1], [name for name in RIVALS if name in times], peak),
            file=sys.stderr,
            flush=True,
        )
        if options.json:
            with open(options.json, "w") as file:
                json.dump(
                    {"threads": options.threads, "matmul_gflops": peak, "results": results},
                    file,
                    indent=1,
                )
    for each in workers.values():
        each.end()
    report(results, peak)


if __name__ == "__main__":
    main()
