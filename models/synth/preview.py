"""Draw a contact sheet of one region, of all, or of recogniser samples.

python -m models.synth.preview US-CA /tmp/sheet.png
python -m models.synth.preview all /tmp/sheet.png --samples
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.fonts import Faces, load_faces
from models.synth.glimpse import CutOut, glimpse
from models.synth.plate import draw_plate, render_plate
from models.synth.regions import load_regions, sample_inscription, sample_region

COLUMNS, ROWS = 8, 8
TILE_WIDTH, TILE_HEIGHT, CAPTION = 220, 110, 16


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Draw a contact sheet of rendered plates.")
    parser.add_argument("region", help='a region code such as US-CA, or "all"')
    parser.add_argument("sheet", type=Path, help="the PNG to write")
    parser.add_argument("--samples", action="store_true", help="what the recogniser sees")
    parser.add_argument("--fonts", choices=("drawn", "all"), default="all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    faces = load_faces(rng, arguments.fonts, per_kind=12)
    region = None if arguments.region == "all" else arguments.region.upper()
    draw = _sample_tile if arguments.samples else _plate_tile
    tiles = [draw(rng, faces, region) for _ in range(COLUMNS * ROWS)]
    cv2.imwrite(str(arguments.sheet), contact_sheet(tiles))


def contact_sheet(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Equal tiles (h, w, 3) in rows of COLUMNS."""
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


def _plate_tile(rng: np.random.Generator, faces: Faces, region: str | None) -> NDArray[np.uint8]:
    plate = render_plate(rng, region, fonts=faces)
    height, width = plate.pixels.shape[:2]
    scale = min(TILE_WIDTH / width, TILE_HEIGHT / height)
    size = (round(width * scale), round(height * scale))
    return _tile(cv2.resize(plate.pixels, size), f"{plate.region} {plate.text}")


def _sample_tile(rng: np.random.Generator, faces: Faces, region: str | None) -> NDArray[np.uint8]:
    chosen = load_regions()[region] if region else sample_region(rng)
    inscription = sample_inscription(rng, chosen)
    plate = draw_plate(rng, chosen, inscription, faces, tone=(0.114, 0.587, 0.299))
    grey = glimpse(rng, plate, faces, CutOut())
    size = (TILE_WIDTH, TILE_HEIGHT)
    return _tile(cv2.cvtColor(cv2.resize(grey, size), cv2.COLOR_GRAY2BGR), plate.text)


def _tile(picture: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    tile = np.zeros((TILE_HEIGHT + CAPTION, TILE_WIDTH + 4, 3), np.uint8)
    height, width = picture.shape[:2]
    tile[:height, 2 : 2 + width] = picture
    at = (3, TILE_HEIGHT + CAPTION - 4)
    cv2.putText(tile, caption, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 255, 255), 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    main()
