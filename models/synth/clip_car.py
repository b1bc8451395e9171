"""One car of a rendered clip: a few flat pictures set up like the panels of a folded model.

Drawn far to near: shadow, far side panels, windscreen, flank, bonnet, front, plate. The same
panels, painted as the back, show a car that leaves. Lengths in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from appliance.scenario.plan import Body, Car, Way
from models.synth import clip_panels as panels
from models.synth.clip_plate import HEIGHT_M, WIDTH_M, plate_picture
from models.synth.clip_view import Picture, Pixels, Point3, heading, lane_x, place

Tint = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """Half-widths and heights of a body as seen from one end; ``deck`` and ``glass`` are how far
    behind the nearest end the deck stops and the roof begins."""

    half: float
    nose: float
    deck: float
    deck_high: float
    glass: float
    roof: float
    shoulder: float
    roof_half: float


FRONT = {
    Body.SALOON: Shape(0.90, 0.80, 1.15, 0.96, 1.95, 1.43, 0.80, 0.60),
    Body.HATCH: Shape(0.87, 0.84, 0.90, 1.00, 1.65, 1.50, 0.79, 0.61),
    Body.SUV: Shape(0.94, 1.02, 1.05, 1.13, 1.70, 1.70, 0.85, 0.68),
    Body.VAN: Shape(0.97, 1.08, 0.55, 1.24, 1.15, 2.02, 0.90, 0.80),
}
BACK = {
    Body.SALOON: Shape(0.90, 0.98, 0.55, 1.02, 1.15, 1.43, 0.78, 0.60),
    Body.HATCH: Shape(0.87, 0.96, 0.04, 0.97, 0.50, 1.48, 0.80, 0.64),
    Body.SUV: Shape(0.94, 1.08, 0.04, 1.09, 0.40, 1.69, 0.86, 0.72),
    Body.VAN: Shape(0.97, 1.05, 0.02, 1.06, 0.10, 2.02, 0.95, 0.90),
}


@dataclass(slots=True)
class CarPicture:
    """The painted panels of one car."""

    car: Car
    shape: Shape
    end: Picture
    deck: Picture
    glass: Picture
    side: Picture
    cabin: Picture
    mirror: Picture
    ledge: Picture
    wings: Picture
    plate: Picture
    shadow: Picture

    @property
    def lamp_high_m(self) -> float:
        return self.shape.nose * (0.78 if self.car.way is Way.IN else 0.80)


def paint_car(car: Car) -> CarPicture:
    back = car.way is Way.OUT
    shape = (BACK if back else FRONT)[car.body]
    paint = panels.paint_of(car.colour)
    return CarPicture(
        car=car,
        shape=shape,
        end=panels.back(shape, paint) if back else panels.front(shape, paint),
        deck=panels.deck(paint),
        glass=panels.glass(paint, back=back),
        side=panels.side(car.body.length_m, shape, paint),
        cabin=panels.cabin(car.body.length_m - shape.deck, paint),
        mirror=panels.mirror(paint),
        ledge=panels.ledge(paint),
        wings=panels.wings(paint),
        plate=plate_picture(car.plate),
        shadow=panels.shadow(),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Turns a car's own metres (aside, up, behind its nearest end) into the world's."""

    x: float
    z: float
    turn: float

    def at(self, aside: float, up: float, behind: float) -> Point3:
        c, s = math.cos(self.turn), math.sin(self.turn)
        return (self.x + aside * c + behind * s, up, self.z - aside * s + behind * c)


def standing_at(car: Car, distance_m: float) -> Place:
    """Where the drive leads a car whose nearest end is that far away."""
    return Place(
        float(lane_x(distance_m)), distance_m, heading(distance_m + car.body.length_m * 0.3)
    )


def draw_car(
    frame: Pixels, picture: CarPicture, where: Place, tint: Tint, plate_tint: Tint, shadow: float
) -> None:
    """Paints the car into the frame; tints multiply B, G, R."""
    s, at = picture.shape, where.at
    long = picture.car.body.length_m
    tail = long - 0.25
    wide = s.half + 0.30
    if shadow > 0:
        place(frame, picture.shadow, (
            at(-wide, 0.01, long + 0.3), at(wide, 0.01, long + 0.3),
            at(wide, 0.01, -0.35), at(-wide, 0.01, -0.35)), (shadow, shadow, shadow))
    roof_to = tail - 0.3
    dim = (tint[0] * 0.72, tint[1] * 0.72, tint[2] * 0.72)
    place(frame, picture.cabin, (
        at(s.roof_half, s.roof, s.glass), at(s.roof_half, s.roof, roof_to),
        at(s.shoulder, s.deck_high, tail), at(s.shoulder, s.deck_high, s.deck)), dim)
    place(frame, picture.glass, (
        at(-s.roof_half, s.roof, s.glass), at(s.roof_half, s.roof, s.glass),
        at(s.shoulder, s.deck_high, s.deck), at(-s.shoulder, s.deck_high, s.deck)), tint)
    place(frame, picture.side, (
        at(s.half * 0.985, s.deck_high, 0.05), at(s.half * 0.985, s.deck_high, long),
        at(s.half * 0.985, 0.0, long), at(s.half * 0.985, 0.0, 0.05)), dim)
    place(frame, picture.ledge, (
        at(s.shoulder * 0.9, s.deck_high, tail), at(s.half * 0.97, s.deck_high - 0.02, tail),
        at(s.half * 0.97, s.deck_high - 0.02, s.deck), at(s.shoulder * 0.9, s.deck_high, s.deck)),
        tint)
    if picture.car.way is Way.IN:
        for sign in (-1, 1):
            inner, outer = s.shoulder + 0.01, s.shoulder + 0.22
            edges = (-outer, -inner) if sign < 0 else (inner, outer)
            up, behind = s.deck_high, s.deck + 0.42
            place(frame, picture.mirror, (
                at(edges[0], up + 0.17, behind), at(edges[1], up + 0.17, behind),
                at(edges[1], up + 0.01, behind), at(edges[0], up + 0.01, behind)), tint)
    edge = s.half * 0.985
    place(frame, picture.wings, (
        at(-edge, s.nose - 0.03, 0.03), at(edge, s.nose - 0.03, 0.03),
        at(edge, s.nose - 0.4, 0.03), at(-edge, s.nose - 0.4, 0.03)), tint)
    place(frame, picture.deck, (
        at(-edge, s.deck_high, s.deck), at(edge, s.deck_high, s.deck),
        at(edge, s.nose - 0.03, 0.02), at(-edge, s.nose - 0.03, 0.02)), tint)
    place(frame, picture.end, (
        at(-s.half, s.nose, 0), at(s.half, s.nose, 0), at(s.half, 0, 0), at(-s.half, 0, 0)), tint)
    place(frame, picture.plate, plate_corners(picture, where), plate_tint)


def plate_middle_m(picture: CarPicture) -> float:
    """Height of the plate's middle over the drive."""
    share = panels.PLATE_IN_FRONT if picture.car.way is Way.IN else panels.PLATE_AT_BACK
    return picture.shape.nose * share


def plate_corners(picture: CarPicture, where: Place) -> tuple[Point3, Point3, Point3, Point3]:
    """The plate in the world: top left, top right, bottom right, bottom left."""
    middle, half = plate_middle_m(picture), WIDTH_M / 2
    top, foot = middle + HEIGHT_M / 2, middle - HEIGHT_M / 2
    return (where.at(-half, top, -0.02), where.at(half, top, -0.02),
            where.at(half, foot, -0.02), where.at(-half, foot, -0.02))
