import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.settings import Train

APP = catalog.find("sentiment")


def load(tmp_path, text, *overrides):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return configuration.load(APP, path, overrides)


def test_yaml_overrides_and_defaults(tmp_path):
    config = load(
        tmp_path,
        "app: sentiment\nmodel: {units: 7}\n",
        "train.learning_rate=1e-3",
        "model.pooling=[mean]",
    )
    assert config.model.units == 7
    assert config.train.learning_rate == 0.001
    assert config.model.pooling == ("mean",)
    assert config.train.epochs == Train().epochs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: {unitz: 3}", ["model.unitz", "unknown key", "Did you mean model.units?"]),
        ("modell: {units: 3}", ["modell", "unknown key", "Did you mean model?"]),
        ("model: {units: 0}", ["model.units", "0 given", "greater than or equal to 1"]),
        ("model: {units: many}", ["model.units", '"many" given', "integer"]),
        ("model: {units: 3.5}", ["model.units", "3.5 given", "integer"]),
        (
            "model: {cell: lstmm}",
            [
                "model.cell",
                '"lstmm" given',
                "'simple', 'gru', 'lstm', 'layernorm_gru', 'layernorm_lstm', 'min_gru'",
            ],
        ),
        ("train: {ema: 1.0}", ["train.ema", "1.0 given", "less than 1"]),
        ("app: translation", ["app", "translation", "sentiment"]),
        ("tune: {space: {model.units: {range: [9, 3]}}}", ["tune.space.model.units", "lower end"]),
        ("tune: {space: {model.units: {}}}", ["tune.space.model.units", "either range or choice"]),
        ("- a\n- b", ["mapping"]),
        ("a: [", ["no valid YAML", "line"]),
        ("model: {units: 3}\nmodel: {units: 4}", ["no valid YAML", "duplicate key"]),
    ],
)
def test_mistakes_name_key_given_and_allowed(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    for part in said:
        assert part in str(caught.value)


def test_one_line_a_mistake(tmp_path):
    with pytest.raises(UserError) as caught:
        load(tmp_path, "model: {units: 0, embedding: x}")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("model.unitss=3", "Did you mean model.units?"),
        ("model.units", "write key=value"),
        ("model.units=[", "no valid YAML"),
        ("model=3", "unknown key"),
        ("train.boundaries=[]", "boundaries are at least one length"),
        ("train.boundaries=[60, 20]", "each larger than the one before"),
    ],
)
def test_set_mistakes(tmp_path, override, said):
    with pytest.raises(UserError, match=said.replace("?", r"\?")):
        load(tmp_path, "app: sentiment", override)


def test_not_utf8(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"app: \xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        configuration.load(APP, tmp_path / "c.yaml")


def test_unknown_configuration_suggests():
    with pytest.raises(UserError, match="Did you mean sample"):
        configuration.load(APP, "sampel")


@pytest.mark.parametrize("app", sorted(catalog.summaries()))
def test_all_shipped_configurations_load(app):
    app = catalog.find(app)
    paths = sorted(configuration.folder(app.name).glob("*.yaml"))
    assert "sample" in [path.stem for path in paths]
    for path in paths:
        config = configuration.load(app, path)
        assert config.tune.space, f"{path} has no space to tune"
        if config.data.licence:  # a configuration of real data, whose models are given to people
            assert config.export.not_for, f"{path} does not say what its models are not for"


@given(st.integers(1, 10**6), st.floats(0.001, 0.9), st.sampled_from(["lstm", "gru", "simple"]))
def test_dump_reads_back_equal(units, share, cell):
    values = {
        "model": {"units": units, "head_dropout": share, "cell": cell},
        "train": {"learning_rate": share},
    }
    config = Schema.of(APP).build(values)
    again = configuration.ruamel.yaml.YAML(typ="safe", pure=True).load(configuration.dump(config))
    assert Schema.of(APP).build(again) == config
    assert json.loads(json.dumps(configuration.plain(config))) == configuration.plain(config)


def test_frozen():
    config = configuration.load(APP)
    with pytest.raises(AttributeError):
        config.model.units = 3


def test_metric_names_are_checked():
    assert configuration.check_metric(APP, "val_accuracy", "k") == "max"
    assert configuration.check_metric(APP, "val_loss", "k") == "min"
    with pytest.raises(UserError, match="Did you mean val_accuracy"):
        configuration.check_metric(APP, "val_acuracy", "k")
