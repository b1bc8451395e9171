"""Things that look like plates to a small net and are none, drawn into grey pictures as negatives.

Lamps, emblems, grilles, lettering on bodies, door signs, stickers and the camera's own time stamp.
"""

from __future__ import annotations

import cv2
import numpy as np

from .scene_look import add_lamp

_WORDS = (
    "SPORT", "QUATTRO", "HYBRID", "TAXI", "POLICE", "SCHOOL BUS", "FOR SALE", "PIZZA", "PLUMBING",
    "ELECTRIC", "TURBO", "LIMITED", "4X4", "GT", "V8", "TDI", "NOTICE", "NO PARKING", "STOP",
    "PRIVATE", "SPEED LIMIT", "EXIT", "DELIVERY", "EXPRESS", "RENTAL", "SECURITY", "WWW.", ".COM",
)  # fmt: skip
_FONTS = (0, 1, 2, 3, 4, 5, 6, 7)


def add_clutter(rng: np.random.Generator, grey: np.ndarray, count: int) -> None:
    """Draw `count` plate-like things that are not plates into grey uint8 (H, W), in place."""
    makers = (_lettering, _sign, _grille, _emblem, _sticker, _bars, _plain_panel, _lamp)
    odds = (0.24, 0.16, 0.14, 0.12, 0.08, 0.08, 0.08, 0.10)
    for index in rng.choice(len(makers), count, p=odds):
        makers[index](rng, grey)


def add_stamp(rng: np.random.Generator, grey: np.ndarray) -> None:
    """Write the camera's name or the time into a corner, in place."""
    day = f"{rng.integers(2010, 2027)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
    hour = f"{rng.integers(24):02}:{rng.integers(60):02}:{rng.integers(60):02}"
    text = (f"{day} {hour}", f"CAM {rng.integers(1, 20)}", hour, f"Gate {rng.integers(9)} {day}")[
        rng.integers(4)
    ]
    height, width = grey.shape
    at = (int(rng.uniform(0, 0.6) * width), int(rng.choice((0.05, 0.08, 0.95, 0.98)) * height))
    size = rng.uniform(0.25, 0.7)
    if rng.random() < 0.5:
        cv2.putText(grey, text, at, 0, size, int(rng.integers(0, 60)), 3, cv2.LINE_AA)
    cv2.putText(grey, text, at, 0, size, int(rng.integers(180, 256)), 1, cv2.LINE_AA)


def _place(rng: np.random.Generator, grey: np.ndarray) -> tuple[int, int]:
    return int(rng.uniform(-0.05, 1) * grey.shape[1]), int(rng.uniform(0, 1.05) * grey.shape[0])


def _text(rng: np.random.Generator) -> str:
    if rng.random() < 0.55:
        return str(rng.choice(_WORDS))
    if rng.random() < 0.6:
        return f"{rng.integers(200, 999)}-{rng.integers(100, 999)}-{rng.integers(1000, 9999)}"
    return " ".join(str(word) for word in rng.choice(_WORDS, 2))


def _write(
    rng: np.random.Generator, grey: np.ndarray, text: str, at: tuple[int, int], size: float
) -> None:
    thickness = max(1, round(size * rng.uniform(1.2, 4)))
    cv2.putText(
        grey,
        text,
        at,
        int(rng.choice(_FONTS)),
        size,
        int(rng.integers(256)),
        thickness,
        cv2.LINE_AA,
    )


def _lettering(rng: np.random.Generator, grey: np.ndarray) -> None:
    _write(rng, grey, _text(rng), _place(rng, grey), float(np.exp(rng.uniform(-1.5, 0.4))))


def _sign(rng: np.random.Generator, grey: np.ndarray) -> None:
    """A board with several lines: never the one or two lines of a plate."""
    x, y = _place(rng, grey)
    size = float(np.exp(rng.uniform(-1.6, -0.3)))
    lines, step = int(rng.integers(3, 7)), int(34 * size) + 2
    wide = int(rng.uniform(3, 7) * step)
    level, ink = (235, 30) if rng.random() < 0.6 else (40, 220)
    cv2.rectangle(grey, (x, y), (x + wide, y + lines * step + step // 2), level, -1, cv2.LINE_AA)
    board = grey[max(0, y) : y + lines * step, max(0, x) : x + wide]
    for line in range(lines if board.size else 0):
        text = _text(rng)
        cv2.putText(
            board, text, (step // 3, (line + 1) * step), 0, size, ink, 1 + (size > 0.5), cv2.LINE_AA
        )


def _grille(rng: np.random.Generator, grey: np.ndarray) -> None:
    x, y = _place(rng, grey)
    wide = int(np.exp(rng.uniform(3, 5)))
    tall = int(wide * rng.uniform(0.15, 0.6))
    cv2.rectangle(grey, (x, y), (x + wide, y + tall), int(rng.integers(0, 120)), -1)
    light, step = int(rng.integers(40, 256)), int(rng.integers(3, 9))
    if rng.random() < 0.8:
        for row in range(y, y + tall, step):
            cv2.line(grey, (x, row), (x + wide, row), light, 1)
    if rng.random() < 0.4:
        for column in range(x, x + wide, step):
            cv2.line(grey, (column, y), (column, y + tall), light, 1)
    if rng.random() < 0.5:
        cv2.rectangle(
            grey, (x, y), (x + wide, y + tall), light, int(rng.integers(1, 4)), cv2.LINE_AA
        )


def _emblem(rng: np.random.Generator, grey: np.ndarray) -> None:
    x, y = _place(rng, grey)
    axes = (int(rng.uniform(4, 26)), int(rng.uniform(3, 14)))
    rim, fill = int(rng.integers(120, 256)), int(rng.integers(0, 200))
    cv2.ellipse(grey, (x, y), axes, 0, 0, 360, fill, -1, cv2.LINE_AA)
    cv2.ellipse(grey, (x, y), axes, 0, 0, 360, rim, int(rng.integers(1, 4)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        step = (int(rng.uniform(-1, 1) * axes[0]), int(rng.uniform(-1, 1) * axes[1]))
        cv2.line(grey, (x, y), (x + step[0], y + step[1]), rim, 2, cv2.LINE_AA)


def _sticker(rng: np.random.Generator, grey: np.ndarray) -> None:
    x, y = _place(rng, grey)
    radius = int(rng.uniform(5, 22))
    cv2.ellipse(grey, (x, y), (int(radius * 1.3), radius), 0, 0, 360, 240, -1, cv2.LINE_AA)
    text = "".join(rng.choice(list("ABDEFGHIKLNS"), int(rng.integers(1, 4))))
    at = (x - int(radius * 0.35 * len(text)), y + int(radius * 0.35))
    cv2.putText(grey, text, at, 0, radius / 28, 20, 1 + (radius > 12), cv2.LINE_AA)


def _bars(rng: np.random.Generator, grey: np.ndarray) -> None:
    """Fence bars, gate leaves, striped kerbs."""
    x, y = _place(rng, grey)
    step, tall = int(rng.integers(4, 22)), int(np.exp(rng.uniform(2.5, 5.3)))
    level, thick = int(rng.integers(256)), int(rng.integers(1, 4))
    slant = int(rng.normal(0, 0.2) * tall)
    for bar in range(int(rng.integers(4, 16))):
        cv2.line(
            grey, (x + bar * step, y), (x + bar * step + slant, y + tall), level, thick, cv2.LINE_AA
        )


def _plain_panel(rng: np.random.Generator, grey: np.ndarray) -> None:
    """A light or dark panel of a plate's shape with nothing written on it."""
    x, y = _place(rng, grey)
    wide = np.exp(rng.uniform(2.8, 4.9))
    box = ((x, y), (wide, wide / rng.uniform(1.5, 6)), rng.normal(0, 5))
    cv2.fillPoly(grey, [cv2.boxPoints(box).astype(np.int32)], int(rng.integers(256)), cv2.LINE_AA)


def _lamp(rng: np.random.Generator, grey: np.ndarray) -> None:
    add_lamp(rng, grey, float(np.exp(rng.uniform(1, 3))))
