"""Model files are loaded only where they are what the manifest says."""

import hashlib
import json

import numpy as np
import pytest

from appliance.config import Config, Recognition
from appliance.errors import RecognitionError
from appliance.recognition import look, manifest, tflite
from appliance.recognition.alphabet import BLANK, SIGNS
from tests.fakes.cars import painted_car

MODELS = Config().models_dir


def _entry(content=b"not a model", **changed):
    return {
        "name": "recogniser",
        "precision": "fp32",
        "file": "r.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {"shape": [1, 48, 144, 1]},
        "alphabet": SIGNS,
        "blank": BLANK,
        "margin": [0.04, 0.07],
        **changed,
    }


def _folder(path, entry, content=b"not a model"):
    (path / "r.tflite").write_bytes(content)
    (path / "manifest.json").write_text(json.dumps({"models": [entry]}))
    return path


def _load(folder, runtime="litert"):
    return tflite.load(folder, "recogniser", "fp32", runtime, 1)


def test_a_card_tells_how_the_model_is_fed(tmp_path):
    card = manifest.find(_folder(tmp_path, _entry()), "recogniser", "fp32")
    assert (card.height_px, card.width_px, card.margin) == (48, 144, (0.04, 0.07))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (_entry(content=b"another"), "damaged"),
        (_entry(alphabet="0123456789"), "another shape or alphabet"),
        (_entry(input={"shape": [1, 48, 144, 3]}), "another shape"),
        (_entry(file="../r.tflite"), "another shape"),
        (_entry(input={}), "manifest is damaged"),
        (_entry(precision="int8"), "there is no fp32 recogniser"),
        (_entry(), "cannot be run"),
    ],
)
def test_a_wrong_model_is_refused_with_a_next_step(tmp_path, entry, says):
    with pytest.raises(RecognitionError, match=says) as refused:
        _load(_folder(tmp_path, entry))
    assert refused.value.next_step


def test_a_missing_manifest_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(RecognitionError, match="there is no"):
        _load(tmp_path)
    _folder(tmp_path, _entry())
    (tmp_path / "r.tflite").unlink()
    with pytest.raises(RecognitionError, match="missing"):
        _load(tmp_path)


def test_a_manifest_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RecognitionError, match="manifest is damaged"):
        _load(tmp_path)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_runtimes_and_precisions_read_the_same_text(precision, runtime):
    """Texts are compared, not numbers: int8 differs by a few steps between the runtimes."""
    config = Config(recognition=Recognition(precision=precision, runtime=runtime))
    seen = look.build(config).look(painted_car("PSTN 123"))
    assert seen[0].text.text == "PSTN123"


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
@pytest.mark.parametrize("precision", ["int8", "fp32"])
@pytest.mark.parametrize("name", ["detector", "recogniser"])
def test_the_shipped_models_run_on_both_runtimes(name, precision, runtime, capfd):
    net = tflite.load(MODELS, name, precision, runtime, 1)
    outputs = net.run(np.zeros((net.card.height_px, net.card.width_px), np.uint8))
    assert all(np.isfinite(o).all() for o in outputs)
    depths = sorted(o.shape[-1] for o in outputs)
    assert depths == ([1, 8] if name == "detector" else [BLANK + 1])
    assert capfd.readouterr().err == "", "the runtime's greeting does not reach the log"
