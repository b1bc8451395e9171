"""The whole line: a picture goes in, the barrier opens, the record stands, nothing leaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from appliance import ipc
from tests.fakes.rtsp import serve_clip
from tests.system.product import PROGRAMS, Product

pytestmark = pytest.mark.system

WHO = {
    "actor": "tester",
    "role": "manager",
    "organisation": "",
    "purpose": "incident",
    "reason": "system test",
}


def test_the_demo_shows_its_first_passage_within_a_minute():
    with Product.started() as product:
        product.wait_for(lambda s: s["ok"], 30)
        took = product.wait_for(lambda s: s["passages"] >= 1, 60)
        assert took < 60
        opened = product.wait_for(lambda s: s["counts"].get("opened", 0) >= 1, 60)
        assert opened < 60
        rows = ipc.call(
            product.config.socket("records"),
            "find",
            {**WHO, "query": {}, "page": 1, "per_page": 10},
        ).header["rows"]
        assert rows
        plates = [row["plate"] for row in rows if row["plate"]]
        assert plates
        logs = product.logs(lines=10_000)
        assert not [p for p in plates if p in logs], "no log line may hold a plate"
        verified = product.verify_journal()
        assert verified.returncode == 0, verified.stdout + verified.stderr
        again = subprocess.run(
            [sys.executable, "-m", "appliance", "--config", str(product.config.path), "status"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 0
        assert all(name in again.stdout for name in PROGRAMS)


@pytest.mark.shared
def test_a_real_camera_stream_opens_the_barrier_once(shared):
    """The approach clip of the evaluation set, through GStreamer's RTSP server."""
    clip = shared / "plates" / "dev" / "video" / "license_plate.mp4"
    with serve_clip(clip) as address, Product.started(source=address) as product:
        _allow(product, "LS15EBC")
        product.wait_for(lambda s: s["counts"].get("opened", 0) >= 1, 60)
        product.wait_for(lambda s: not s["programs"]["vision"].get("tracks"), 30)
        state = product.status()
        assert state["counts"]["opened"] == 1
        rows = ipc.call(
            product.config.socket("records"),
            "find",
            {**WHO, "query": {"plate": "LS15EBC"}, "page": 1, "per_page": 10},
        ).header["rows"]
        assert [row["verdict"] for row in rows] == ["open"]


def _allow(product: Product, plate: str) -> None:
    """Adds a grant the way the console does: the site's writer, then word to the gate."""
    import contextlib

    from appliance import clock, site

    with contextlib.closing(site.open_writer(product.config)) as connection:
        connection.execute(
            "INSERT INTO grants (kind, plate, label, made_at, made_by)"
            " VALUES ('allow', ?, 'Test', ?, 'tester')",
            (plate, clock.iso(clock.utc_now())),
        )
    product.wait_for(lambda s: s["programs"]["gate"]["up"], 30)
    ipc.call(product.config.socket("door"), "policy_changed")
