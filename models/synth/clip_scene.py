"""Composes the frames of a scenario: the yard in its light, the cars, their lamps, the noise.

Deterministic: the same scenario gives the same frames, whatever machine or order.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from appliance.scenario import timeline
from appliance.scenario.plan import Car, Light, Scenario, Way
from models.synth.clip_car import (
    BACK,
    FRONT,
    CarPicture,
    Place,
    Tint,
    draw_car,
    paint_car,
    plate_corners,
    standing_at,
)
from models.synth.clip_glow import halo
from models.synth.clip_view import HEIGHT_PX, NEAREST_M, WIDTH_PX, Picture, Pixels, place, project
from models.synth.clip_yard import paint_yard

_AMBIENT: dict[Light, Tint] = {
    Light.DAY: (1.0, 1.0, 1.0), Light.DUSK: (0.66, 0.58, 0.60), Light.NIGHT: (0.13, 0.12, 0.11),
}
_FLOOD = {Light.DAY: 0.0, Light.DUSK: 0.12, Light.NIGHT: 0.34}
_SHADOW = {Light.DAY: 1.0, Light.DUSK: 0.75, Light.NIGHT: 0.5}
_LAMPS = {Light.DAY: 0.0, Light.DUSK: 0.55, Light.NIGHT: 1.0}
_NOISE = {Light.DAY: 2.0, Light.DUSK: 2.8, Light.NIGHT: 3.6}
_GREY = {Light.DAY: 0.0, Light.DUSK: 0.0, Light.NIGHT: 0.45}
_HEADLAMP = (214, 240, 255)
_TAIL = (36, 26, 226)
_NOISE_TILE = 96


def plate_quads(scenario: Scenario, t_s: float) -> list[tuple[Car, npt.NDArray[np.float32]]]:
    """The plates wholly in the picture at that moment, four corners each in px: the truth a test
    or a benchmark compares with."""
    found = []
    for car, where in _cars_at(scenario, t_s):
        corners = plate_corners(_outline(car), where)
        if min(c[2] for c in corners) <= NEAREST_M:
            continue
        points = np.array([project(c) for c in corners], np.float32)
        if points.min() >= 0 and points[:, 0].max() < WIDTH_PX and points[:, 1].max() < HEIGHT_PX:
            found.append((car, points))
    return found


class Stage:
    """Everything painted once; ``frame`` puts one moment together."""

    def __init__(self, scenario: Scenario, yard_scale: int = 2) -> None:
        """A smaller ``yard_scale`` is quicker and rougher at the yard's edges."""
        self._scenario = scenario
        self._yard = paint_yard(np.random.default_rng(scenario.seed), yard_scale)
        self._cars = {car: paint_car(car) for car in scenario.cars}
        self._pool = _light_pool()
        rng = np.random.default_rng(scenario.seed + 1)
        size = (HEIGHT_PX + _NOISE_TILE, WIDTH_PX + _NOISE_TILE, 3)
        grain = rng.standard_normal(size, np.float32)
        self._noise: npt.NDArray[np.float32] = grain * 0.75 + grain.mean(axis=2, keepdims=True)
        self._tiles: dict[float, tuple[Pixels, Pixels]] = {}

    def frames(self) -> Iterator[Pixels]:
        """Every frame of one loop, uint8 (720, 1280, 3) BGR."""
        for number in range(round(self._scenario.length_s * self._scenario.fps)):
            yield self.frame(number)

    def frame(self, number: int) -> Pixels:
        t_s = number / self._scenario.fps
        light = timeline.light(self._scenario, t_s)
        picture = self._empty(light)
        for car, where in sorted(_cars_at(self._scenario, t_s), key=lambda found: -found[1].z):
            self._draw(picture, self._cars[car], where, light)
        grey = _of(_GREY, light)
        if grey > 0:
            plain = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            picture = np.asarray(cv2.addWeighted(picture, 1 - grey, plain, grey, 0), np.uint8)
        return self._noisy(picture, number, round(_of(_NOISE, light), 1))

    def _empty(self, light: tuple[Light, Light, float]) -> Pixels:
        before, after, share = light
        if share <= 0:
            return self._yard[before].copy()
        mixed = cv2.addWeighted(self._yard[before], 1 - share, self._yard[after], share, 0)
        return np.asarray(mixed, np.uint8)

    def _draw(
        self, frame: Pixels, car: CarPicture, where: Place, light: tuple[Light, Light, float]
    ) -> None:
        near = max(0.0, where.z)
        flood = _of(_FLOOD, light) / (1 + (near / 10.5) ** 2.4)
        before, after, share = light
        b, g, r = (
            x + (y - x) * share + flood
            for x, y in zip(_AMBIENT[before], _AMBIENT[after], strict=True)
        )
        lamps = _of(_LAMPS, light)
        # The plate throws the flood light back at the camera: bright however dark the car.
        lit = max(b, 0.98 - 0.36 * min(1.0, near / 22) if lamps else b)
        plate = (lit, lit, lit)
        if lamps and car.car.way is Way.IN:
            self._pool_before(frame, where, lamps)
        draw_car(frame, car, where, (b, g, r), plate, _of(_SHADOW, light))
        if lamps:
            _shine(frame, car, where, lamps)

    def _pool_before(self, frame: Pixels, where: Place, lamps: float) -> None:
        """Headlamp light on the drive ahead of the car."""
        at, glow = where.at, lamps * 0.55
        place(frame, self._pool, (at(-1.7, 0.01, 0.4), at(1.7, 0.01, 0.4), at(2.6, 0.01, -7),
                                  at(-2.6, 0.01, -7)), (glow, glow, glow))

    def _noisy(self, picture: Pixels, number: int, strength: float) -> Pixels:
        if strength not in self._tiles:
            grain = self._noise * strength
            self._tiles[strength] = (
                np.clip(grain, 0, 255).astype(np.uint8), np.clip(-grain, 0, 255).astype(np.uint8)
            )
        x, y = (number * 37) % _NOISE_TILE, (number * 59) % _NOISE_TILE
        over, under = (tile[y : y + HEIGHT_PX, x : x + WIDTH_PX] for tile in self._tiles[strength])
        return np.asarray(cv2.subtract(cv2.add(picture, over), under), np.uint8)


def _cars_at(scenario: Scenario, t_s: float) -> list[tuple[Car, Place]]:
    found = []
    for car in scenario.cars:
        distance = timeline.distance_m(car, scenario.lane, t_s)
        if distance is not None:
            found.append((car, standing_at(car, distance)))
    return found


def _of(values: dict[Light, float], light: tuple[Light, Light, float]) -> float:
    before, after, share = light
    return values[before] + (values[after] - values[before]) * share


def _shine(frame: Pixels, car: CarPicture, where: Place, lamps: float) -> None:
    """Lamps dazzle: a white core, a glow, and a faint streak along the picture's rows."""
    leaving = car.car.way is Way.OUT
    high = car.lamp_high_m
    reach = (0.72 if leaving else 0.66) * car.shape.half / 0.90
    for aside in (-reach, reach):
        spot = where.at(aside, high, -0.03)
        if spot[2] <= NEAREST_M * 2:
            continue
        at = project(spot)
        metre = abs(project((spot[0] + 0.5, spot[1], spot[2]))[0] - at[0]) * 2
        tone = _TAIL if leaving else _HEADLAMP
        strength = lamps * (0.55 if leaving else 1.0)
        b, g, r = (c * strength for c in tone)
        halo(frame, at, metre * 0.16, (b, g, r))
        halo(frame, at, metre * 0.34, (b * 0.55, g * 0.55, r * 0.55))
        halo(frame, at, metre * 0.95, (b * 0.13, g * 0.13, r * 0.13))


def _light_pool() -> Picture:
    """Light on the ground as a picture without substance: it only adds."""
    down = np.linspace(0, 1, 160, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, 120, dtype=np.float32)[None, :]
    aside = np.abs(across)
    beams = np.exp(-(((aside - 0.30) / 0.28) ** 2)) * np.clip((1 - aside) * 4, 0, 1)
    fall = np.clip(down * 6, 0, 1) * (1 - down) ** 1.6
    glow = (beams * fall)[..., None] * np.array((150, 172, 186, 0), np.float32)
    whole = glow.astype(np.uint8)
    return Picture([whole, np.asarray(cv2.pyrDown(whole), np.uint8)])


def _outline(car: Car) -> CarPicture:
    """A car's measures without its paint."""
    shape = (BACK if car.way is Way.OUT else FRONT)[car.body]
    none = Picture([])
    return CarPicture(car, shape, *(none,) * 10)
