"""Renders a scenario into the clip its camera would have sent.

    python -m models.synth.clip SCENARIO.toml OUT.mp4 [--force]

Needs numpy and OpenCV only. The clip is written beside its final name and moved there whole; a
small JSON file beside it says what it was made from, and an unchanged clip is not made again.
One loop of the scenario, 1280x720, at the scenario's frames a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import cv2

from appliance.errors import ApplianceError, CaptureError
from appliance.scenario import format as scenario_format
from appliance.scenario import timeline
from appliance.scenario.plan import Scenario
from models.synth.clip_scene import Stage
from models.synth.clip_view import HEIGHT_PX, WIDTH_PX

_FOURCC = "mp4v"
_BAR_WIDTH = 36


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.synth.clip", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--force", action="store_true", help="render even if nothing changed")
    given = parser.parse_args(arguments)
    try:
        render(given.scenario, given.out, force=given.force)
    except ApplianceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def render(scenario_path: Path, out: Path, *, force: bool = False) -> bool:
    """Writes the clip; False where it stands already. Raises ConfigError or CaptureError."""
    scenario = scenario_format.load(scenario_path)
    made_from = _made_from(scenario_path)
    if not force and out.exists() and _stands(out, made_from):
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        _write(scenario, part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    _note(out).write_text(json.dumps(made_from, indent=1) + "\n", encoding="utf-8")
    return True


def _write(scenario: Scenario, path: Path) -> None:
    sys.stderr.write("rendering the scenario's camera (once)\n")
    stage = Stage(scenario)
    bar = _Bar(round(scenario.length_s * scenario.fps))
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*_FOURCC), scenario.fps, (WIDTH_PX, HEIGHT_PX)
    )
    if not writer.isOpened():
        raise CaptureError("this OpenCV cannot write mp4 clips",
                           next_step="Install the opencv-python-headless wheel")
    number = 0
    try:
        for number, frame in enumerate(stage.frames(), start=1):
            writer.write(frame)
            bar.show(number)
    finally:
        writer.release()
    reader = cv2.VideoCapture(str(path))
    kept = round(reader.get(cv2.CAP_PROP_FRAME_COUNT))
    reader.release()
    if kept != number:
        raise CaptureError("the clip could not be written whole", next_step="Is the disk full?")
    bar.end()


def _made_from(scenario_path: Path) -> dict[str, str]:
    """Fingerprints of the scenario and of every file whose change may change a pixel."""
    here = Path(__file__).parent
    sources = [*sorted(here.glob("clip*.py")), here / "glyphs.py", Path(timeline.__file__)]
    renderer = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    scenario = hashlib.sha256(scenario_path.read_bytes())
    return {"scenario_sha256": scenario.hexdigest(), "renderer_sha256": renderer.hexdigest()}


def _note(out: Path) -> Path:
    return out.with_name(f"{out.name}.json")


def _stands(out: Path, made_from: dict[str, str]) -> bool:
    try:
        return bool(json.loads(_note(out).read_text(encoding="utf-8")) == made_from)
    except (OSError, ValueError):
        return False


class _Bar:
    """One line on a terminal, a few lines in a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began_mono = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._told = -1

    def show(self, number: int) -> None:
        share = number / self._total
        step = int(share * (100 if self._terminal else 4))
        if step == self._told:
            return
        self._told = step
        if not step:
            return
        left_s = (time.monotonic() - self._began_mono) * (1 / share - 1)
        done = "#" * round(share * _BAR_WIDTH)
        text = f"[{done:<{_BAR_WIDTH}}] {share:4.0%}  {left_s:3.0f} s left"
        sys.stderr.write(f"\r{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        took_s = time.monotonic() - self._began_mono
        sys.stderr.write(f"{chr(10) if self._terminal else ''}rendered in {took_s:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main())
