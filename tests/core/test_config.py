"""The settings file: a typo can never silently disable a safeguard."""

from __future__ import annotations

import dataclasses

import pytest

from appliance import config
from appliance.errors import ConfigError


def _load(tmp_path, text):
    path = tmp_path / "postern.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def test_without_a_file_the_defaults_apply():
    assert config.load(None) == config.Config()


def test_each_kind_of_value_is_read(tmp_path):
    read = _load(
        tmp_path,
        """
[device]
lane = "north"
state_dir = "/data"
[camera]
source = "rtsp://camera/main"
loop = true
fps = 12
mask = [[0, 0], [1, 0], [0.5, 1]]
""",
    )
    assert (read.device.lane, str(read.device.state_dir)) == ("north", "/data")
    assert (read.camera.fps, read.camera.loop) == (12.0, True)
    assert read.camera.mask == ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[barier]\n", "Did you mean 'barrier'"),
        ("[barrier]\nlockout = 3\n", "Did you mean 'lockout_s'"),
        ("[barrier]\npulse_ms = 60000\n", "between 100 and 3000"),
        ("[barrier]\npulse_ms = true\n", "must be a whole number"),
        ("[barrier]\ndriver = 'magic'\n", "must be one of simulator"),
        ("[camera]\nfps = 'ten'\n", "must be a number"),
        ("[camera]\nmask = [[0, 0], [2, 2], [1, 1]]\n", "between 0 and 1"),
        ("[camera]\nmask = 'all'\n", "pairs"),
        ("[camera]\nmask = [1, 2, 3]\n", "pairs"),
        ("[device]\nstate_dir = 5\n", "path in quotes"),
        ("device = 5\n", "must be a table"),
        ("[device\n", "could not be read"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(tmp_path, text, says):
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text)
    assert says in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no settings file"):
        config.load(tmp_path / "absent.toml")


def test_every_key_has_a_sentence_and_bounds_hold_for_its_default():
    rows = config.describe(config.Config())
    assert len(rows) > 20
    assert all(sentence.endswith(".") for *_, sentence in rows)
    for part in dataclasses.fields(config.Config):
        if part.name == "path":
            continue
        for key in dataclasses.fields(type(getattr(config.Config(), part.name))):
            low, high = key.metadata["low"], key.metadata["high"]
            assert low is None or low <= key.default <= high, key.name


def test_the_file_is_found_by_option_then_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("POSTERN_CONFIG", str(tmp_path / "env.toml"))
    assert config.find("given.toml") == config.Path("given.toml")
    assert config.find() == tmp_path / "env.toml"
    monkeypatch.delenv("POSTERN_CONFIG")
    assert config.find() in (None, config.DEFAULT_PATH)
