"""The still part of a rendered clip: drive, kerbs, hedges, house and sky, in three lights.

Every pixel's ray meets one surface; its colour is the surface's times the light that falls there.
Painted once per clip, then only mixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from appliance.scenario.plan import Light
from models.synth.clip_glow import halo
from models.synth.clip_noise import Noise
from models.synth.clip_view import EYE_M, HEIGHT_PX, WIDTH_PX, Pixels, lane_x, project, rays

Plane = npt.NDArray[np.float32]
Painter = Callable[[Plane, Plane, Plane], tuple[Plane, Plane | float]]
"""From the places (x, y, z) of some pixels to their colours and how far they glow at night."""
_HALF_DRIVE_M = 2.15
_KERB_M = 0.16
_LEFT_HEDGE_M = -4.9
_BACK_HEDGE_M = 31.0
_HOUSE_M = 58.0
_HOUSE_LEFT_M, _HOUSE_RIGHT_M, _EAVES_M = -17.5, -7.2, 3.7
BOLLARDS = ((-3.75, 10.6), (-3.75, 16.0), (-3.6, 23.0))
_BOLLARD_HIGH_M = 0.85


@dataclass(slots=True)
class _Surface:
    """Colour (0..1, BGR) and place of what each pixel shows."""

    colour: Plane
    x: Plane
    y: Plane
    z: Plane
    sky: Plane
    glow: Plane


def paint_yard(rng: np.random.Generator, scale: int = 2) -> dict[Light, Pixels]:
    """The empty scene in each light, painted ``scale`` times as large and shrunk."""
    surface = _scene(rng, scale)
    return {light: _finished(surface, light) for light in Light}


def _scene(rng: np.random.Generator, scale: int) -> _Surface:
    dx, dy, dz = rays(scale)
    shape = dx.shape
    colour = np.zeros((*shape, 3), np.float32)
    x, y, z = (np.zeros(shape, np.float32) for _ in range(3))
    sky = np.ones(shape, np.float32)
    glow = np.zeros(shape, np.float32)
    noise = Noise(rng)

    def put(mask: npt.NDArray[np.bool_], at: Plane, paint: Painter) -> None:
        px, py, pz = (dx * at)[mask], (dy * at + EYE_M)[mask], (dz * at)[mask]
        painted, lit = paint(px, py, pz)
        colour[mask], sky[mask] = painted, 0
        x[mask], y[mask], z[mask] = px, py, pz
        glow[mask] = lit

    def height_at(at: Plane) -> tuple[Plane, Plane]:
        return dx * at, dy * at + EYE_M

    at = _HOUSE_M / dz
    hx, hy = height_at(at)
    put(_house_outline(hx, hy), at, lambda px, py, _: _house(noise, px, py))
    at = 44.0 / dz
    tx, ty = height_at(at)
    crown = 3.1 + 5.2 * (noise.smooth(tx * 0.07, tx * 0.0 + 3.3) - 0.5)
    crown += 0.8 * (noise.smooth(tx * 0.5, ty * 0.5) - 0.5)
    crown -= 2.4 * np.exp(-(((tx + 9.6) / 3.2) ** 2))
    put(ty < crown, at, lambda px, py, _: (_leaves(noise, px, py, 0.55, (0.20, 0.33, 0.24)), 0.0))
    at = _BACK_HEDGE_M / dz
    tx, ty = height_at(at)
    put(
        ty < 1.45 + 0.10 * (noise.smooth(tx * 1.3, tx * 0) - 0.5), at,
        lambda px, py, _: (
            _leaves(noise, px, py, 1.3, (0.15, 0.36, 0.22)) * _root_shade(py, 1.45), 0.0),
    )
    at = np.where(dy < -1e-4, -EYE_M / np.minimum(dy, -1e-4), 1e6).astype(np.float32)
    put((dz * at < _BACK_HEDGE_M) & (dy < 0), at,
        lambda px, _, pz: (_ground(noise, px, pz), 0.0))
    at = np.where(dx < -1e-4, _LEFT_HEDGE_M / np.minimum(dx, -1e-4), 1e6).astype(np.float32)
    tz, ty = dz * at, dy * at + EYE_M
    mask = (tz > 2) & (tz < _BACK_HEDGE_M) & (ty > 0)
    mask &= ty < 1.55 + 0.14 * (noise.smooth(tz * 1.1, tz * 0 + 8) - 0.5)
    put(mask, at, lambda _, py, pz: (
        _leaves(noise, pz, py, 1.7, (0.14, 0.38, 0.25)) * _root_shade(py, 1.5), 0.0))
    return _Surface(colour, x, y, z, sky, glow)


def _house_outline(x: Plane, y: Plane) -> npt.NDArray[np.bool_]:
    """A low house with a pitched roof."""
    wall = (x > _HOUSE_LEFT_M) & (x < _HOUSE_RIGHT_M) & (y < _EAVES_M)
    roof = (y >= _EAVES_M) & (y < _EAVES_M + 2.3)
    roof &= x > _HOUSE_LEFT_M - 0.5 + (y - _EAVES_M) * 1.2
    roof &= x < _HOUSE_RIGHT_M + 0.5 - (y - _EAVES_M) * 1.2
    return np.asarray(wall | roof)


def _house(noise: Noise, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Its paint, and where lamplight shines through a window after dark."""
    paint = np.empty((*x.shape, 3), np.float32)
    paint[:] = (0.62, 0.70, 0.76)
    tiles = 0.85 + 0.3 * noise.fine(x * 1.5, y * 5.0)
    roof = y >= _EAVES_M
    paint[roof] = (np.array((0.22, 0.25, 0.36), np.float32) * tiles[..., None])[roof]
    windows = np.zeros(x.shape, np.float32)
    for centre in (-15.6, -12.6, -9.4):
        pane = (abs(x - centre) < 0.75) & (abs(y - 2.3) < 0.75)
        frame = (abs(x - centre) < 0.88) & (abs(y - 2.3) < 0.88)
        cross = (abs(x - centre) < 0.05) | (abs(y - 2.3) < 0.04)
        paint[frame] = (0.86, 0.88, 0.88)
        paint[pane & ~cross] = (0.34, 0.30, 0.27)
        windows[pane & ~cross] = 1.0
    return paint, windows


def _ground(noise: Noise, x: Plane, z: Plane) -> Plane:
    aside = x - np.asarray(lane_x(z), np.float32)
    slope = 2 * 0.07 * np.maximum(0, z - 12.0)
    reach = np.abs(aside) / np.sqrt(1 + slope**2)
    near = np.clip(1.2 - z / 22, 0.15, 1)
    grain = 1 + 0.26 * (noise.fine(x * 9, z * 9) - 0.5) * near
    grain += 0.16 * (noise.smooth(x * 0.5, z * 0.35) - 0.5)
    tracks = 1 - 0.07 * np.exp(-(((np.abs(aside) - 0.75) / 0.26) ** 2))
    tar = (grain * tracks)[..., None] * np.array((0.345, 0.34, 0.335), np.float32)
    seam = 1 - 0.22 * np.exp(-(((z - 9.4) / 0.03) ** 2))
    tar *= seam[..., None].astype(np.float32)
    blades = noise.fine(x * 7, z * 4) * near + 0.5 * (1 - near)
    lawn = 0.72 + 0.35 * blades + 0.3 * (noise.smooth(x * 0.4, z * 0.25) - 0.5)
    grass = lawn[..., None] * np.array((0.165, 0.42, 0.31), np.float32)
    grass *= (1 - 0.35 * np.exp(-np.maximum(0, x - _LEFT_HEDGE_M) / 0.55))[..., None]
    kerb_tone = 0.56 + 0.10 * (noise.smooth(x * 3, z * 3) - 0.5)
    joint = np.abs((z % 0.9) - 0.45) > 0.44
    kerb_tone = np.where(joint & (z < 16), kerb_tone * 0.8, kerb_tone)
    kerb = kerb_tone[..., None] * np.array((0.95, 0.99, 1.0), np.float32)
    edge = _HALF_DRIVE_M + _KERB_M
    result = np.where((reach < edge)[..., None], kerb, grass)
    result = np.where((reach < _HALF_DRIVE_M)[..., None], tar, result)
    gutter = 1 - 0.35 * np.exp(-(((reach - _HALF_DRIVE_M) / 0.05) ** 2))
    return (result * gutter[..., None]).astype(np.float32)


def _leaves(
    noise: Noise, along: Plane, up: Plane, size: float, tone: tuple[float, float, float]
) -> Plane:
    coarse = noise.smooth(along * 1.6 * size, up * 1.6 * size)
    leaf = noise.fine(along * 5.0 * size, up * 5.0 * size)
    bright = 0.38 + 0.55 * coarse + 0.55 * (leaf - 0.35)
    warm = np.stack([np.ones_like(leaf), 0.9 + 0.2 * leaf, 0.8 + 0.5 * coarse], axis=-1)
    return (np.clip(bright, 0.12, 1.4)[..., None] * np.array(tone, np.float32) * warm).astype(
        np.float32)


def _root_shade(y: Plane, top: float) -> Plane:
    return np.clip(0.45 + 0.75 * y / top, 0.35, 1.15)[..., None].astype(np.float32)


def _finished(surface: _Surface, light: Light) -> Pixels:
    colour = surface.colour * _falling(surface, light)
    sky = _sky(surface.y.shape, light)
    colour = np.where(surface.sky[..., None] > 0, sky, colour)
    haze = np.clip((surface.z - 25) / 160, 0, 0.22) * (1 - surface.sky)
    colour += (sky[:1].mean(axis=(0, 1)) - colour) * haze[..., None]
    if light is not Light.DAY:
        warm = np.array((0.34, 0.72, 1.0) if light is Light.DUSK else (0.26, 0.42, 0.52))
        colour = np.where(surface.glow[..., None] > 0, warm, colour)
    small = cv2.resize((np.clip(colour, 0, 1) * 255).astype(np.uint8), (WIDTH_PX, HEIGHT_PX),
                       interpolation=cv2.INTER_AREA)
    picture = np.asarray(small, np.uint8)
    _bollards(picture, light)
    return picture


def _falling(surface: _Surface, light: Light) -> Plane:
    """Light on every point, BGR."""
    x, y, z = surface.x, surface.y, surface.z
    if light is Light.DAY:
        shade = 1 - 0.42 * _step((_LEFT_HEDGE_M + 1.35 - x) / 0.25) * _step((0.2 - y) / 0.1)
        return shade[..., None] * np.array((1.16, 1.20, 1.24), np.float32)
    lamp = np.zeros_like(x)
    for bx, bz in BOLLARDS:
        away = (x - bx) ** 2 + (z - bz) ** 2 + (y - 0.7) ** 2
        lamp += 0.55 / (0.55 + away)
    if light is Light.DUSK:
        base = np.array((0.66, 0.56, 0.60), np.float32)
        return base + lamp[..., None] * np.array((0.18, 0.34, 0.46), np.float32)
    flood = 0.42 / (1 + (z / 10.5) ** 2.4)
    base = np.array((0.125, 0.105, 0.095), np.float32)
    flood_tone = np.array((1.0, 0.98, 0.95), np.float32)
    result = base + flood[..., None] * flood_tone
    result += lamp[..., None] * np.array((0.18, 0.33, 0.44), np.float32)
    return result.astype(np.float32)


def _sky(shape: tuple[int, ...], light: Light) -> Plane:
    down = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    down = np.clip(down * 3.4, 0, 1)[..., None]
    top, foot = {
        Light.DAY: ((0.93, 0.80, 0.66), (0.97, 0.94, 0.90)),
        Light.DUSK: ((0.62, 0.47, 0.47), (0.50, 0.66, 0.90)),
        Light.NIGHT: ((0.075, 0.055, 0.045), (0.115, 0.085, 0.07)),
    }[light]
    mixed = np.array(top, np.float32) * (1 - down) + np.array(foot, np.float32) * down
    return np.broadcast_to(mixed, (shape[0], shape[1], 3)).astype(np.float32)


def _bollards(picture: Pixels, light: Light) -> None:
    """Low lamps along the drive; lit at dusk and at night."""
    body = {Light.DAY: (62, 66, 64), Light.DUSK: (36, 38, 40), Light.NIGHT: (20, 21, 22)}[light]
    for x, z in BOLLARDS:
        (cx, foot), (_, top) = project((x, 0, z)), project((x, _BOLLARD_HIGH_M, z))
        half = (foot - top) * 0.085
        head = top + (foot - top) * 0.22
        _rectangle(picture, cx - half, top, cx + half, foot, body)
        lamp = (196, 214, 220) if light is Light.DAY else (170, 226, 255)
        _rectangle(picture, cx - half * 0.9, top + (head - top) * 0.3, cx + half * 0.9, head, lamp)
        if light is not Light.DAY:
            halo(picture, (cx, (top + head) / 2), (foot - top) * 0.75,
                 (70, 120, 165) if light is Light.DUSK else (46, 84, 116))


def _rectangle(
    picture: Pixels, x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]
) -> None:
    path = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) * 16
    cv2.fillPoly(picture, [np.round(path).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _step(value: Plane) -> Plane:
    v = np.clip(value, 0, 1)
    return v * v * (3 - 2 * v)
