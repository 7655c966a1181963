"""The native kernel: all that is asked of the compiled loop, and what is done without it."""

import logging
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import layers
from rnnsuite.core.context import exporting
from rnnsuite.layers.scan import native
from rnnsuite.layers.scan.native import check, kernel
from rnnsuite.layers.scan.native import shared_library as libraries
from rnnsuite.layers.scan.plan import SWITCH
from tests.layers import test_carried as of_carried
from tests.layers.scan import test_scan as of_scan
from tests.processes import python_forked

CELLS = ("gru", "lstm", "min_gru")
PADDINGS = ("right", "left", "scattered")


@pytest.fixture(scope="module", autouse=True)
def _on_this_machine(_cache):
    try:
        libraries.best_level()
        libraries.compiler()
    except libraries.NotUsable as reason:
        pytest.skip(f"no native kernel on this machine: {reason}")
    assert native.library() is not None  # one that is wrong is no reason to skip


@pytest.fixture
def calls(monkeypatch):
    """Of the kernel; it is what runs."""
    made = []

    def counted(*arguments, **options):
        made.append(options)
        return run(*arguments, **options)

    run = native.run
    monkeypatch.setattr(native, "run", counted)
    monkeypatch.setenv(SWITCH, "native")
    return made


@pytest.fixture
def used(calls):
    yield calls
    assert calls, "the kernel did not run"


@pytest.fixture
def every_level(monkeypatch):
    """Goes through the instruction sets that this processor has, each of which then is used."""

    def levels():
        found = pathlib.Path("/proc/cpuinfo").read_text().split()
        for level, (flags, _) in libraries.LEVELS.items():
            if set(flags) <= set(found):
                opened = libraries.opened(level)
                monkeypatch.setattr(kernel, "library", lambda opened=opened: opened)
                yield level

    return levels


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_equals_keras(cell, used):
    of_scan.test_equals_keras(cell=cell)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("backwards", [False, True])
def test_equals_the_equations(cell, backwards, padding, used, every_level):
    for _ in every_level():
        of_scan.test_equals_the_equations(cell, backwards, padding, 0.0)


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_in_the_padding_leaks(cell, used):
    of_scan.test_nothing_in_the_padding_leaks(cell)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_narrow_types_are_computed_wide(dtype, used):
    of_scan.test_narrow_types_are_computed_wide(dtype)


def test_a_second_derivative_is_refused(used):
    of_scan.test_a_second_derivative_is_refused()


def test_weight_drop_leaves_out_recurrent_weights(used):
    of_scan.test_weight_drop_leaves_out_recurrent_weights_in_training_only()


def gradients(layer, x, mask, upstream):
    inputs = [tf.constant(x), *(weight.value for weight in layer.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        value = tf.reduce_sum(layer(inputs[0], mask=mask, training=True) * upstream)
    return tape.gradient(value, inputs)


# Units that fill a vector, that do not, and more than a panel; rows of one thread and of several.
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [5, 16, 100])
@pytest.mark.parametrize("padding", [None, *PADDINGS])
@pytest.mark.parametrize("backwards", [False, True])
def test_gradients_are_those_in_64_bits(
    cell, units, padding, backwards, calls, every_level, monkeypatch
):
    rng = np.random.default_rng(units)
    x = rng.normal(size=[23, 6, 3])
    mask = of_scan.masks(padding, 23, 6, rng)
    upstream = rng.normal(size=[23, 6, units])

    def found(dtype):
        options = {"return_sequences": True, "go_backwards": backwards, "dtype": dtype}
        layer = of_scan.built(of_scan.EVERY[cell][0], options, units, x.shape)
        return gradients(layer, x.astype(dtype), mask, upstream.astype(dtype))

    with monkeypatch.context() as patch:
        patch.setenv(SWITCH, "stock")
        expected = found("float64")
    assert not calls
    for number, _ in enumerate(every_level(), 1):
        of_scan.assert_equal(found("float32"), expected)
        assert len(calls) == number


# Many rows are divided; of few, every thread takes some units.
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("rows", "units"), [(64, 64), (2, 150), (3, 300)])
@pytest.mark.parametrize("padding", [None, "scattered"])
def test_the_number_of_threads_changes_no_bit(cell, rows, units, padding, used, monkeypatch):
    rng = np.random.default_rng(1)
    x = rng.normal(size=[rows, 20, 8]).astype("float32")
    mask = of_scan.masks(padding, rows, 20, rng)
    options = {"return_sequences": True, "go_backwards": True}
    layer = of_scan.built(of_scan.EVERY[cell][0], options, units, x.shape)
    found = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(kernel, "_cores", lambda cores=cores: cores)
        found.append([layer(x, mask=mask), *gradients(layer, x, mask, 1.0)])
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_where_rows_begin_anew(cell, training, used):
    of_carried.test_gradients_against_finite_differences(cell, training)


def test_the_equations_with_beginnings(used):
    of_carried.test_the_equations_of_an_lstm_with_beginnings()


def test_zoneout_and_other_recurrences_run_without_it(calls):
    x = np.ones([2, 3, 4], "float32")
    layers.LSTM(3, zoneout=0.1)(x, training=True)
    layers.SimpleRNN(3)(x)
    layers.GRU(3, reset_after=False)(x)
    assert not calls


def test_it_is_no_part_of_an_export(calls, tmp_path):
    layer = of_scan.built(layers.LSTM, {}, 3, (2, 4, 3))
    signature = [tf.TensorSpec([None, None, 3])]
    with exporting("served"):
        tf.function(layer, input_signature=signature).get_concrete_function()
    # What others save by themselves holds none, either.
    model = keras.Sequential([keras.Input([None, 3]), layers.GRU(3)])
    model.export(tmp_path / "model", verbose=False)
    module = tf.Module()
    module.layer = layer
    module.answer = tf.function(lambda x: layer(x), input_signature=signature)
    tf.saved_model.save(module, str(tmp_path / "module"))
    assert not calls
    for name in ("model", "module"):
        content = (tmp_path / name / "saved_model.pb").read_bytes()
        assert b"Rnnsuite" not in content


def test_within_a_compiled_function_the_compiled_loop_runs(calls):
    layer = of_scan.built(layers.LSTM, {}, 3, (2, 4, 3))
    x = tf.ones([2, 4, 3])
    found = tf.function(lambda x: layer(x, training=True), jit_compile=True)(x)
    assert not calls
    np.testing.assert_allclose(found, layer(x), atol=1e-6)
    assert calls


def test_shapes_that_do_not_fit_are_told():
    nowhere = tf.zeros([0, 0], tf.bool)
    states = [tf.zeros([2, 3])] * 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="the shape of inputs does not fit"):
        native.library().operation("lstm")(
            tf.zeros([2, 4, 5]), *states, tf.zeros([3, 12]), tf.zeros([0]), nowhere, nowhere
        )


class Without:
    """What a process does whose kernel cannot be used."""

    @staticmethod
    def found(monkeypatch, caplog):
        native.library.cache_clear()
        caplog.set_level(logging.INFO, logger="rnnsuite")
        monkeypatch.setenv(SWITCH, "native")
        layer = of_scan.built(layers.LSTM, {"return_sequences": True}, 3, (2, 4, 3))
        x = np.random.default_rng(0).normal(size=[2, 4, 3]).astype("float32")
        found = layer(x, training=True)
        layer(x, training=True)
        with exporting("served"):
            np.testing.assert_allclose(found, layer(x), atol=1e-6)
        lines = [line for line in caplog.messages if "without their native kernel" in line]
        native.library.cache_clear()
        assert len(lines) == 1
        return lines[0]


def test_without_a_compiler(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert "no compiler" in Without.found(monkeypatch, caplog)
    assert not list(tmp_path.iterdir())


def test_with_a_compiler_that_fails(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path))
    fails = tmp_path / "fails"
    fails.write_text("#!/bin/sh\necho no such thing >&2\nexit 1\n")
    fails.chmod(0o755)
    monkeypatch.setenv("CXX", str(fails))
    assert "failed: no such thing" in Without.found(monkeypatch, caplog)
    assert [path.name for path in tmp_path.iterdir()] == ["fails"]


def test_where_the_cache_cannot_be_written(monkeypatch, caplog, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path / "file" / "cache"))
    assert "it cannot be built" in Without.found(monkeypatch, caplog)


def test_with_a_broken_library(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path))
    monkeypatch.setattr(libraries, "_modules", {})
    path = tmp_path / f"native-{libraries._digest(libraries.best_level())}.so"
    path.write_bytes(b"\x7fELF and no more")
    assert f"{path} is broken" in Without.found(monkeypatch, caplog)


@pytest.mark.parametrize(
    "name", ["lstm", "gru", "min_gru", "lstm_grad", "gru_grad", "min_gru_grad"]
)
def test_with_a_library_that_computes_something_else(name, monkeypatch, caplog):
    class Off(libraries.Library):
        def operation(self, wanted):
            right = super().operation(wanted)
            if wanted != name:
                return right

            def off(**options):
                first, *others = right(**options)
                return type(right(**options))(first * 1.001, *others)

            return off

    monkeypatch.setattr(libraries, "Library", Off)
    assert "is off by" in Without.found(monkeypatch, caplog)


def test_a_library_that_gives_what_is_no_number_is_wrong():
    with pytest.raises(check.Wrong, match="nan"):
        check._compare("it", np.array([np.nan]), 1.0)


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("fpu avx avx2 fma avx512f", "avx512"),
        ("fpu avx avx2 fma", "avx2"),
        ("fpu avx", None),
        ("", None),
    ],
)
def test_the_best_instruction_set_is_chosen(flags, level):
    text = f"processor : 0\nflags\t\t: {flags}\n"
    if level:
        assert libraries._best_of(text) == level
    else:
        with pytest.raises(libraries.NotUsable, match="no AVX2"):
            libraries._best_of(text)


def test_another_machine_has_none(monkeypatch):
    monkeypatch.setattr(libraries.platform, "machine", lambda: "aarch64")
    with pytest.raises(libraries.NotUsable, match="none for aarch64"):
        libraries.best_level()


def test_a_forked_process_has_threads_of_its_own():
    """Threads do not survive a fork; a pool that waited for them would wait for ever."""
    program = """
import os, sys
import tensorflow as tf
from rnnsuite.layers.scan import native
nowhere = tf.zeros([0, 0], tf.bool)
states = [tf.zeros([64, 64])] * 2
given = [tf.ones([64, 10, 256]), *states, tf.ones([64, 256]), tf.zeros([0]), nowhere, nowhere]
run = native.library().operation("lstm")
run(*given, threads=2)
child = os.fork()
if not child:
    run(*given, threads=2)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    status, said = python_forked(["-I", "-c", program])
    assert status == 0, said[-2000:]
