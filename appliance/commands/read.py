"""`postern read PICTURE...`: the plates in pictures, one JSON line a picture.

    {"image", "text", "confidence", "box": [x, y, w, h] px, "reads": [...],
     "ms", "cpu_ms", "rss_mb"}

`text` and `box` are the surest plate's, empty and null where there is none; `reads` lists every
plate found with its text, confidence, box, corners and char_scores. A picture that cannot be read
has "error" and "text": "", and the exit status is 1 at the end. `cpu_ms` is the whole process's
time for that picture, decoding included.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from appliance.capture.replay import load_picture, pictures_in
from appliance.config import Config
from appliance.errors import ApplianceError, CaptureError
from appliance.recognition import look, picture, score
from appliance.recognition.view import rss_mb
from appliance.recognition.vote import vote
from appliance.values import Glimpse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pictures",
        nargs="+",
        type=Path,
        metavar="PICTURE",
        help="a picture, or a folder of pictures",
    )
    parser.add_argument(
        "--plate",
        action="store_true",
        help="the pictures are cut-out plates: read them without looking for one",
    )
    parser.add_argument(
        "--draw", type=Path, metavar="DIR", help="write the pictures here with the plates drawn in"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    """0 where every picture could be read, 1 otherwise."""
    looker = look.build(config)
    looker.close_ups = True
    if args.draw is not None:
        args.draw.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in _expanded(args.pictures):
        line = read_one(looker, path, whole=args.plate, draw=args.draw)
        failed += "error" in line
        print(json.dumps(line), flush=True)
    return 1 if failed else 0


def read_one(
    looker: look.Looker, path: Path, *, whole: bool = False, draw: Path | None = None
) -> dict[str, Any]:
    """The line of one picture; never raises for what is wrong with the picture."""
    wall, cpu = time.perf_counter(), time.process_time()
    glimpses: list[Glimpse] = []
    error = ""
    try:
        grey = load_picture(path, grey=True)
        glimpses = _whole(looker.read_whole(grey)) if whole else looker.look_grey(grey)
    except ApplianceError as refused:
        error = str(refused)
    reads = [_read(g) for g in glimpses]
    best = reads[0] if reads else {"text": "", "confidence": 0.0, "box": None}
    line: dict[str, Any] = {
        "image": str(path),
        "text": best["text"],
        "confidence": best["confidence"],
        "box": best["box"],
        "reads": reads,
        "ms": round((time.perf_counter() - wall) * 1000, 2),
        "cpu_ms": round((time.process_time() - cpu) * 1000, 2),
        "rss_mb": rss_mb(),
    }
    if error:
        line["error"] = error
    elif draw is not None:
        _draw(path, glimpses, draw)
    return line


def _expanded(paths: list[Path]) -> Iterator[Path]:
    """Folders become their pictures; what is not there stays, to be told of in its line."""
    for path in paths:
        if path.is_dir():
            found = pictures_in(path)
            if not found:
                raise CaptureError(f"{path} holds no pictures", next_step="Name another folder")
            yield from found
        else:
            yield path


def _whole(glimpse: Glimpse) -> list[Glimpse]:
    return [glimpse] if glimpse.text.text else []


def _read(glimpse: Glimpse) -> dict[str, Any]:
    settled = vote([glimpse])
    return {
        "text": settled.text,
        "confidence": round(score.of_glimpse(glimpse), 4),
        "box": [round(n) for n in glimpse.where.upright],
        "corners": [[round(x, 1), round(y, 1)] for x, y in glimpse.where.corners],
        "char_scores": [round(s, 3) for s in settled.char_scores],
        "raw": glimpse.text.text,
        "detector": round(glimpse.where.score, 3),
        "alternatives": [[text, round(chance, 4)] for text, chance in glimpse.text.alternatives],
    }


def _draw(path: Path, glimpses: list[Glimpse], folder: Path) -> None:
    captions = [(g.where, f"{vote([g]).text} {score.of_glimpse(g):.2f}") for g in glimpses]
    drawn = picture.outlined(load_picture(path), captions)
    cv2.imwrite(str(folder / f"{path.stem}.jpg"), drawn)
