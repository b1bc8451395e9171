"""The program vision, started as on the box: it stands alone, tells what is wrong, ends cleanly."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import pytest

from appliance import codec, ipc
from appliance.errors import IpcError
from appliance.values import Sighting
from tests.fakes.cars import frame

pytestmark = pytest.mark.system

STARTED_S = 20.0


@contextlib.contextmanager
def _vision(box, **camera):
    """The program with the box's folders and the given camera settings."""
    path = box.device.run_dir / "p.toml"
    models = camera.pop("models_dir", "")
    lines = [f"{key} = {json.dumps(value)}" for key, value in camera.items()]
    path.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n'
        f'models_dir = "{models}"\n[camera]\n' + "\n".join(lines) + "\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", "--config", str(path), "run", "vision"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _status_when(box, wanted):
    begun, status = time.monotonic(), {}
    while time.monotonic() - begun < STARTED_S:
        with contextlib.suppress(IpcError):
            status = ipc.call(box.socket("view"), "status").header
            if wanted(status):
                return status
        time.sleep(0.1)
    raise AssertionError(f"not within {STARTED_S} s: {status}")


def _folder(path, count=5):
    path.mkdir()
    for i in range(count):
        cv2.imwrite(str(path / f"{i}.png"), frame(i).pixels)
    return path


def test_it_runs_without_any_other_program_and_ends_cleanly_when_asked(box, tmp_path):
    with _vision(box, source=str(_folder(tmp_path / "p")), loop=True) as process:
        status = _status_when(
            box, lambda s: s["reader"]["looks"] >= 1 and s["camera"]["state"] == "live"
        )
        assert status["camera"]["source_kind"] == "folder"
        assert status["issues"] == []
        assert set(status["reader"]["models"]) == {"detector", "recogniser"}
        answer = ipc.call(box.socket("view"), "picture", {"width": 320})
        assert answer.blob.startswith(b"\xff\xd8")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_tells_the_gate_once_a_second_how_the_camera_is(box, tmp_path):
    with contextlib.closing(ipc.listen(box.socket("sightings"))) as gate:
        gate.settimeout(STARTED_S)
        camera = _vision(box, source=str(_folder(tmp_path / "p")), loop=True)
        with camera, contextlib.closing(gate.accept()[0]) as peer:
            peer.settimeout(STARTED_S)
            states = [ipc.receive(peer).header["state"] for _ in range(3)]
    assert states[-1] == "live"


@pytest.mark.parametrize(
    ("camera", "key"),
    [
        ({"source": ""}, "camera_none"),
        ({"source": "/dev/video99"}, "camera_lost"),
        ({"source": "rtsp://user:secret@127.0.0.1:9/lane"}, "camera_lost"),
        ({"source": "", "models_dir": "/nowhere"}, "model"),
    ],
)
def test_it_stays_up_and_says_what_is_wrong(box, camera, key):
    with _vision(box, **camera) as process:
        status = _status_when(box, lambda s: key in [i["key"] for i in s["issues"]])
        issue = next(i for i in status["issues"] if i["key"] == key)
        assert issue["message"] and issue["next_step"]
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "secret" not in log and "secret" not in json.dumps(status)


@pytest.mark.shared
def test_a_clip_becomes_sightings_at_the_gate_and_no_plate_reaches_the_log(box, shared):
    clip = shared / "plates" / "dev" / "video" / "license_plate.mp4"
    sightings = []
    with contextlib.closing(ipc.listen(box.socket("sightings"))) as gate:
        gate.settimeout(STARTED_S)
        with _vision(box, source=str(clip)) as process:
            with contextlib.closing(gate.accept()[0]) as peer:
                peer.settimeout(60)
                while not (sightings and sightings[-1].final):
                    message = ipc.receive(peer)
                    if message.verb == "sighting":
                        assert message.blob.startswith(b"\xff\xd8")
                        sightings.append(codec.decode(Sighting, message.header["sighting"]))
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=10)
    assert len({s.track for s in sightings}) == 1
    assert [s.revision for s in sightings] == list(range(1, len(sightings) + 1))
    assert sightings[-1].plate == "LS15EBC"
    assert not [s.plate for s in sightings if s.plate in log]


def test_names_of_tracks_differ_from_run_to_run():
    code = (
        "import secrets; from appliance.recognition.track import Tracker;"
        "from tests.fakes.cars import glimpse;"
        "t = Tracker(secrets.token_hex(4), 3.0); print(t.see([glimpse('PSTN123')], 0.0)[0].name)"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": "."},
        ).stdout
        for _ in range(2)
    }  # fmt: skip
    assert len(names) == 2
