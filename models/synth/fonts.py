"""Alphabets for the renderer: drawn from strokes, or read from open font files on this machine.

Rules
- A face is 36 grey masks of equal height; it never leaves this process and no font file is kept
  in the repository (npm @fontsource packages and Debian packages, see models/cards/recogniser.md).
- `fonts="drawn"` needs no file at all; `fonts="all"` adds what is installed and silently works
  with less when a package is absent, because the drawn half alone trains a reader.
"""

from __future__ import annotations

import glob
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.synth.glyphs import SKELETONS, WIDTHS, Point, strokes
from models.synth.words import LEGENDS

Mask = NDArray[np.uint8]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MASK_HEIGHT_PX = 64
HERE = Path(__file__).parent
CACHE = HERE.parent / ".work" / "font_masks.pickle"

# Sign width / height, stroke / height and corner radius / width of the drawn faces by kind;
# US figures measured on 21 specimens (November 2026), the others from published drawings.
DRAWN_KINDS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "embossed": ((0.36, 0.50), (0.09, 0.15), (0.36, 0.66)),
    "narrow": ((0.31, 0.40), (0.08, 0.13), (0.36, 0.66)),
    "flat": ((0.36, 0.54), (0.10, 0.17), (0.36, 0.64)),
    "fe": ((0.50, 0.66), (0.10, 0.15), (0.28, 0.58)),
    "din": ((0.46, 0.62), (0.11, 0.16), (0.36, 0.64)),
    "wright": ((0.54, 0.68), (0.15, 0.20), (0.36, 0.64)),
    "mandatory": ((0.46, 0.64), (0.11, 0.18), (0.36, 0.64)),
}

CELL_KINDS = ("embossed", "narrow", "flat")

# How often a sign takes its first variant outright, where not 0.45.
FIRST_SHARE = {"4": 0.05, "M": 0.15, "W": 0.15, "Q": 0.2}

# File names that carry the look of a kind (parts of the base name).
FILE_KINDS: dict[str, tuple[str, ...]] = {
    "embossed": (
        "pathway-gothic",
        "RG2014B",
        "big-shoulders",
        "OSP-DIN",
        "sofia-sans-extra",
        "bebas",
    ),
    "narrow": ("antonio", "big-shoulders", "league-gothic", "saira-extra", "pathway-gothic"),
    "flat": ("barlow-cond", "oswald", "mohave", "khand", "fjalla", "roboto-cond", "archivo-narrow"),
    "fe": (
        "dosis",
        "rajdhani",
        "encode-sans",
        "routed-gothic",
        "b612-mono",
        "share-tech",
        "oxanium",
    ),
    "din": (
        "saira-cond",
        "barlow-cond",
        "RG2014C",
        "sofia-sans-cond",
        "OSP-DIN",
        "overpass",
        "titillium",
    ),
    "wright": (
        "sofia-sans-condensed-7",
        "barlow-semi",
        "roboto-condensed-6",
        "rubik",
        "LiberationSans-Bold",
    ),
    "mandatory": (
        "advent",
        "sofia-sans-cond",
        "barlow-semi",
        "khand",
        "saira-cond",
        "LiberationSansNarrow",
    ),
}
DEBIAN = (
    "RG2014", "OSP-DIN", "b612-", "B612-Bold.", "B612-Regular.", "B612Mono-Bold.",
    "routed-gothic", "LiberationSans-Bold.", "LiberationSansNarrow-Bold.",
    "LiberationMono-Bold.", "DejaVuSans-Bold.", "DejaVuSansMono-Bold.",
    "DejaVuSansCondensed-Bold.", "OpenSans-CondBold.", "OpenSans-Semibold.",
    "RobotoCondensed-Bold.", "RobotoCondensed-Medium.", "Roboto-Medium.", "Lato-Bold.",
    "Lato-Heavy.",
)  # fmt: skip
WEIGHTS = ("400", "500", "600", "700", "800")


@dataclass(frozen=True, slots=True)
class Face:
    """Masks of the 36 signs, uint8, MASK_HEIGHT_PX high, trimmed at both sides."""

    name: str
    masks: dict[str, Mask]
    pitch_px: float


@dataclass(slots=True)
class Faces:
    """Everything a renderer draws text with."""

    drawn: dict[str, list[Face]]
    files: dict[str, list[Face]] = field(default_factory=dict)
    legends: dict[str, list[Mask]] = field(default_factory=dict)

    def pick(self, rng: np.random.Generator, kind: str) -> Face:
        """A face of the kind: half drawn, a third from matching files, the rest from any file."""
        share = rng.random()
        if self.files and share > 0.5:
            pool = self.files.get(kind if share < 0.85 else "any") or self.files["any"]
        else:
            pool = self.drawn[kind]
        return pool[int(rng.integers(len(pool)))]


def load_faces(rng: np.random.Generator, fonts: str = "all", per_kind: int = 40) -> Faces:
    """Draw `per_kind` faces of each kind and, for fonts="all", add the installed files."""
    drawn = {kind: [draw_face(rng, kind) for _ in range(per_kind)] for kind in DRAWN_KINDS}
    faces = Faces(drawn)
    if fonts == "all":
        faces.files, written = _file_faces()
        for word, mask in written:
            faces.legends.setdefault(word.lower(), []).append(mask)
    if not faces.legends:
        faces.legends = {word.lower(): [_word_mask(faces, rng, word)] for word in LEGENDS}
    return faces


def draw_face(rng: np.random.Generator, kind: str) -> Face:
    """One random stroke alphabet of the kind."""
    (w0, w1), (t0, t1), (r0, r1) = DRAWN_KINDS[kind]
    width = rng.uniform(w0, w1) * MASK_HEIGHT_PX
    stroke = max(3.0, min(rng.uniform(t0, t1) * MASK_HEIGHT_PX, width * 0.34))
    radius = rng.uniform(r0, r1)
    masks = {}
    for sign in ALPHABET:
        variants = SKELETONS[sign]
        first = rng.random() < FIRST_SHARE.get(sign, 0.45)
        variant = variants[0 if first else int(rng.integers(len(variants)))]
        if sign == "I" and kind in (*CELL_KINDS, "fe") and rng.random() < 0.6:
            variant = variants[1]
        corner = radius * (rng.uniform(0.55, 1.0) if sign == "D" else 1.0)
        body = width * WIDTHS.get(sign, 1.0) * rng.uniform(0.94, 1.06)
        thick = stroke
        if sign in "MW" and kind in CELL_KINDS:  # stamping dies are equally wide for all signs
            body = width * rng.uniform(0.96, 1.14)
            thick = stroke * rng.uniform(0.75, 1.0)
        masks[sign] = _stroke_mask(variant, body, thick, corner * body)
    if rng.random() < 0.7:
        masks["O"] = masks["0"]
    return Face(f"drawn-{kind}", masks, width)


def trimmed(mask: Mask) -> Mask:
    """Cut empty columns at both sides."""
    columns = np.flatnonzero(mask.max(axis=0) > 20)
    return mask[:, columns[0] : columns[-1] + 1] if len(columns) else mask[:, :1]


def _stroke_mask(variant: str, width: float, stroke: float, radius: float) -> Mask:
    pad = stroke / 2 + 1
    mask = np.zeros((MASK_HEIGHT_PX, int(width + 2 * pad) + 2), np.uint8)
    height = MASK_HEIGHT_PX - 2 * pad
    for rounded, points in strokes(variant):
        placed = [
            (pad + x * (width - stroke * 0.5), pad + min(y, 1.04) * height) for x, y in points
        ]
        path = np.array(_round_corners(placed, radius) if rounded else placed)
        fixed = np.round(path * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 255, max(2, round(stroke)), cv2.LINE_AA, 4)
    return trimmed(mask)


def _round_corners(points: list[Point], radius: float) -> list[Point]:
    out = [points[0]]
    for index in range(1, len(points) - 1):
        before, corner, after = (np.array(points[index + k]) for k in (-1, 0, 1))
        d_in, d_out = before - corner, after - corner
        l_in, l_out = float(np.hypot(*d_in)), float(np.hypot(*d_out))
        if min(l_in, l_out) < 1e-6:
            continue
        cut = min(
            radius,
            l_in * (1.0 if index == 1 else 0.5),
            l_out * (1.0 if index == len(points) - 2 else 0.5),
        )
        start, end = corner + d_in / l_in * cut, corner + d_out / l_out * cut
        pull = corner * 0.8 + (start + end) * 0.1
        for t in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
            p = (1 - t) ** 2 * start + 2 * t * (1 - t) * pull + t * t * end
            out.append((float(p[0]), float(p[1])))
    return [*out, points[-1]]


def _word_mask(faces: Faces, rng: np.random.Generator, word: str) -> Mask:
    face = faces.drawn["flat"][int(rng.integers(len(faces.drawn["flat"])))]
    gap = np.zeros((MASK_HEIGHT_PX, 10), np.uint8)
    blank = np.zeros((MASK_HEIGHT_PX, 24), np.uint8)
    parts = [part for c in word.upper() for part in (face.masks.get(c, blank), gap)]
    joined = np.hstack(parts)
    size = (max(4, joined.shape[1] * 22 // MASK_HEIGHT_PX), 22)
    return np.asarray(cv2.resize(joined, size, interpolation=cv2.INTER_AREA), np.uint8)


def _file_faces() -> tuple[dict[str, list[Face]], list[tuple[str, Mask]]]:
    if CACHE.exists():
        with CACHE.open("rb") as stream:
            faces, legends = pickle.load(stream)  # noqa: S301 - our own cache, made below
    else:
        paths = font_files()
        faces = [face for path in paths if (face := _read_face(path)) is not None]
        legends = _read_legends(paths)
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        temporary = CACHE.with_suffix(".part")
        temporary.write_bytes(pickle.dumps((faces, legends)))
        temporary.replace(CACHE)
    kinds: dict[str, list[Face]] = {"any": faces} if faces else {}
    for kind, parts in FILE_KINDS.items():
        found = [face for face in faces if any(part in face.name for part in parts)]
        if found:
            kinds[kind] = found
    return kinds, legends


def font_files() -> list[str]:
    """Paths of the font files this machine offers: npm @fontsource (woff) and Debian packages."""
    found = []
    for folder in sorted(glob.glob(str(HERE / "node_modules/@fontsource/*"))):
        name = Path(folder).name
        paths = (f"{folder}/files/{name}-latin-{weight}-normal.woff" for weight in WEIGHTS)
        found += [path for path in paths if Path(path).exists()]
    debian = glob.glob("/usr/share/fonts/**/*.[to]tf", recursive=True)
    return found + sorted(p for p in debian if any(part in Path(p).name for part in DEBIAN))


def _read_face(path: str) -> Face | None:
    font = ImageFont.truetype(path, 90)
    boxes = {sign: font.getbbox(sign) for sign in ALPHABET}
    top = int(min(boxes[s][1] for s in "HE0"))
    foot = int(max(boxes[s][3] for s in "HE0"))
    masks = {}
    for sign, box in boxes.items():
        below = max(foot, int(box[3])) if sign in "JQ" else foot
        size = (int(box[2] - box[0]) + 4, below - top + 2)
        if size[0] < 6 or size[1] < 20:
            return None
        picture = Image.new("L", size)
        ImageDraw.Draw(picture).text((2 - box[0], 1 - top), sign, font=font, fill=255)
        mask = trimmed(np.array(picture, np.uint8))
        width = max(3, mask.shape[1] * MASK_HEIGHT_PX // mask.shape[0])
        scaled = cv2.resize(mask, (width, MASK_HEIGHT_PX), interpolation=cv2.INTER_AREA)
        masks[sign] = np.asarray(scaled, np.uint8)
    pitch = float(np.median([masks[s].shape[1] for s in "ABEH08"]))
    return Face(Path(path).name, masks, pitch)


def _read_legends(paths: list[str]) -> list[tuple[str, Mask]]:
    rng = np.random.default_rng(5)
    slanted = glob.glob("/usr/share/fonts/**/*Italic*.[to]tf", recursive=True)
    choice = paths + sorted(slanted)[:30]
    legends = []
    for word in LEGENDS * 6:
        font = ImageFont.truetype(choice[int(rng.integers(len(choice)))], 22)
        box = font.getbbox(word)
        picture = Image.new("L", (int(box[2] - box[0]) + 2, int(box[3] - box[1]) + 2))
        ImageDraw.Draw(picture).text((1 - box[0], 1 - box[1]), word, font=font, fill=255)
        legends.append((word, np.array(picture, np.uint8)))
    return legends
