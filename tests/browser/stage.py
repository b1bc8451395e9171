"""A console with a believable day behind it: invented plates, drawn pictures, four fakes.

    with stage.set_up() as play:
        browser.goto(play.address)
"""

from __future__ import annotations

import contextlib
import io
import random
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from werkzeug.serving import make_server

from appliance import clock, vault
from appliance.barrier.commissioning import How, Result, look
from appliance.barrier.commissioning_steps import STEPS
from appliance.config import Config, Device
from appliance.console.app import create_app
from appliance.console.commissionings import Commissionings, Judged
from appliance.console.lists import Draft, Lists
from appliance.console.settings import Settings
from appliance.values import GrantKind, Reason, Role, SecondFactor, Verdict, WeeklyHours
from tests.console.conftest import Desk
from tests.fakes.programs import Fakes, by_hand, passage

FONT = Path(__file__).resolve().parents[2] / "appliance/console/static/plate-bold.woff"
LIVE = Settings(hash_time_cost=1, hash_memory_kib=8, stream_step_s=0.2, stream_life_s=20)
PEOPLE = (("ana.reyes", "Ana Reyes", Role.MANAGER), ("joe.park", "Joe Park", Role.GUARD),
          ("lena.fox", "Lena Fox", Role.AUDITOR), ("sam.ito", "Sam Ito", Role.INSTALLER))


@dataclass
class Play:
    address: str
    desk: Desk


@contextlib.contextmanager
def set_up(*, populated: bool = True) -> Iterator[Play]:
    """Serves on a free port in this process until the block ends."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        box = Config(device=Device(state_dir=Path(folder, "s"), run_dir=Path(folder, "r")))
        box.device.run_dir.mkdir()
        vault.make_missing(box)
        with Fakes(box) as fakes:
            app = create_app(box, LIVE)
            desk = Desk(app, fakes, box, at=clock.utc_now())
            if populated:
                _fill(desk)
            server = make_server("127.0.0.1", 0, app, threaded=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield Play(f"http://127.0.0.1:{server.port}", desk)
            finally:
                server.shutdown()
                desk.console.store.close()


def plate_picture(text: str, width: int = 420) -> bytes:
    """A plate as a camera sees it at dusk: a little tilt, blur and noise."""
    height = width * 2 // 5
    plate = Image.new("RGB", (600, 240), (226, 230, 220))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((8, 8, 592, 232), 22, outline=(38, 52, 84), width=7)
    font = ImageFont.truetype(str(FONT), 118)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    draw.text(((600 - right - left) / 2, (240 - bottom - top) / 2 + 8), text, font=font,
              fill=(28, 40, 70))
    scene = Image.new("RGB", (760, 304), (24, 27, 31))
    scene.paste(plate.rotate(-1.6, expand=False, fillcolor=(24, 27, 31)), (80, 32))
    dice = random.Random(text)
    scene = scene.filter(ImageFilter.GaussianBlur(1.6)).resize((width, height))
    pixels = scene.load()
    for _ in range(width * height // 3):
        x, y, n = dice.randrange(width), dice.randrange(height), dice.randrange(-16, 17)
        pixels[x, y] = tuple(max(0, min(255, c + n)) for c in pixels[x, y])
    return _jpeg(scene)


def lane_picture(text: str) -> bytes:
    """The lane at dusk with a car before the arm."""
    w, h = 1280, 720
    scene = Image.new("RGB", (w, h))
    draw = ImageDraw.Draw(scene)
    for y in range(h):
        k = y / h
        sky = (int(52 + 60 * k), int(62 + 52 * k), int(88 + 22 * k))
        road = (int(74 - 22 * k), int(78 - 22 * k), int(82 - 20 * k))
        draw.line((0, y, w, y), fill=sky if y < 300 else road)
    draw.polygon([(0, 300), (330, 300), (180, 250), (0, 232)], fill=(38, 48, 44))
    draw.polygon([(w, 300), (900, 300), (1060, 240), (w, 220)], fill=(34, 44, 41))
    draw.polygon([(420, 300), (820, 300), (1280, 720), (-40, 720)], fill=(62, 64, 68))
    draw.line((620, 300, 600, 720), fill=(128, 128, 122), width=6)
    draw.rounded_rectangle((400, 250, 880, 600), 60, fill=(40, 52, 66))
    draw.polygon([(470, 262), (810, 262), (850, 390), (430, 390)], fill=(18, 24, 30))
    draw.polygon([(486, 272), (640, 272), (620, 384), (446, 384)], fill=(30, 40, 48))
    for x in (425, 765):
        draw.rounded_rectangle((x, 428, x + 90, 482), 18, fill=(255, 244, 214))
    draw.rounded_rectangle((560, 430, 720, 470), 10, fill=(26, 34, 42))
    draw.rounded_rectangle((400, 540, 880, 600), 20, fill=(22, 28, 34))
    draw.rounded_rectangle((552, 494, 728, 564), 8, fill=(228, 231, 222), outline=(30, 42, 72),
                           width=3)
    font = ImageFont.truetype(str(FONT), 36)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    draw.text((640 - (right + left) / 2, 530 - (bottom + top) / 2), text, font=font,
              fill=(28, 40, 70))
    for x in (440, 790):
        draw.ellipse((x, 580, x + 70, 640), fill=(14, 16, 18))
    glow = Image.new("RGB", (w, h))
    light = ImageDraw.Draw(glow)
    for x in (470, 810):
        light.ellipse((x - 190, 320, x + 190, 600), fill=(70, 62, 40))
    scene = Image.blend(scene, Image.composite(glow, scene, glow.convert("L").filter(
        ImageFilter.GaussianBlur(60))), 0.42).filter(ImageFilter.GaussianBlur(0.8))
    return _jpeg(scene, 78)


def _jpeg(picture: Image.Image, quality: int = 82) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=quality)
    return kept.getvalue()


def _fill(desk: Desk) -> None:
    now, dice = desk.at, random.Random(7)
    desk.publish()
    for username, name, role in PEOPLE:
        person = desk.add(role, username, trained=username != "sam.ito")
        with desk.console.store.writing() as connection:
            connection.execute("UPDATE people SET name = ? WHERE id = ?", (name, person.id))
    lists = Lists(desk.console.store)
    workdays = (WeeklyHours((0, 1, 2, 3, 4), 450, 1050),)
    for kind, plate, label, unit, until_days, hours in (
        (GrantKind.ALLOW, "PSTN101", "M. Okafor", "Flat 12", None, ()),
        (GrantKind.ALLOW, "PSTN102", "D. Lindqvist", "Flat 3", None, ()),
        (GrantKind.ALLOW, "PSTNB08", "R. Haddad", "Flat 27", None, ()),
        (GrantKind.VISITOR, "VSTR555", "Piano tuner", "Flat 12", 1, ()),
        (GrantKind.ALLOW, "CLEAN07", "Brightside Cleaning", "Vendor", 90, workdays),
        (GrantKind.VISITOR, "RENTAL9", "Rental car", "Flat 3", 3, ()),
        (GrantKind.BLOCK, "BADCAR1", "Trespass notice 4/26", "Office", None, ()),
    ):
        until = now + timedelta(days=until_days) if until_days else None
        asked = SecondFactor.RESIDENT if plate == "RENTAL9" else SecondFactor.NONE
        draft = Draft(kind, plate, label, unit, "", None, until, hours, (), asked)
        lists.add(lists.next_id(), draft, "ana.reyes", now)
    records = desk.fakes.records
    shapes = [("PSTN101", "Flat 12"), ("PSTN102", "Flat 3"), ("PSTNB08", "Flat 27"),
              ("CLEAN07", "Brightside Cleaning")]
    for i in range(64):
        at = now - timedelta(minutes=9 + i * 19 + dice.randrange(9))
        plate, label = shapes[i % 4]
        if i % 9 == 4:
            records.keep(passage("QXR4418", verdict=Verdict.ASK_GUARD, reason=Reason.NOT_LISTED,
                                 broke="listed", at=at), plate_picture("QXR4418"))
        elif i % 11 == 5:
            records.keep(by_hand("joe.park", "Delivery, announced", at))
        elif i % 13 == 6:
            records.keep(passage("BADCAR1", verdict=Verdict.STAY_CLOSED, reason=Reason.BLOCKED,
                                 broke="block", at=at), plate_picture("BADCAR1"))
        else:
            records.keep(passage(plate, label=label, at=at), plate_picture(plate))
    near = passage("PSTN808", verdict=Verdict.ASK_GUARD, reason=Reason.NEAR_MISS, listed="PSTNB08",
                   label="Flat 27", broke="lookalike", at=now - timedelta(minutes=4),
                   scores=(0.98, 0.97, 0.99, 0.96, 0.84, 0.93, 0.95))
    records.keep(near, plate_picture("PSTN808"))
    desk.fakes.door.at_gate = near
    desk.fakes.door.crop = plate_picture("PSTN808")
    desk.fakes.view.picture = lane_picture("PSTN808")
    _wire(desk)
    records.receipts = [
        {"volume": f"2026-11-{d:02d}", "reads": 140 + d * 3, "fingerprint": f"{d * 7919:08x}c41e",
         "destroyed_at": clock.iso(now - timedelta(days=20 - d))} for d in range(10, 15)
    ]


def _wire(desk: Desk) -> None:
    """A barrier with a day behind it, a simulated yard beside it and a hand-over test on record."""
    door = desk.fakes.door
    kinds = (("manual_open", "", 240), ("exit_open", "", 1500), ("fault_off", "stuck_photo", 5200),
             ("fault_on", "stuck_photo", 6100), ("host_back", "", 40_000),
             ("host_lost", "", 40_030), ("started", "power", 40_200))
    door.events = [{"boot": 12, "number": 40 - i, "kind": kind, "argument": argument, "age_s": age}
                   for i, (kind, argument, age) in enumerate(kinds)]
    door.traffic = {"since_mono": desk.mono - 40_000, "entry_cycles": 103, "passed_under": 99,
                    "read": 97, "missed": 6, "openings": 96, "tailgates": 2}
    desk.fakes.yard.start()
    tests = Commissionings(desk.console.store)
    at, day = look(desk.console.programs.ask("door", "status").header), timedelta(days=20)
    tests.begin(at, "sam.ito", desk.at - day)
    for step in STEPS:
        how = step.how(at)
        result = Result.NOT_WIRED if how is How.NOT_WIRED else Result.PASSED
        note = "Opens, as the fire service asked" if step.note_wanted else ""
        found = "The arm left its closed limit." if how is How.MEASURED else ""
        tests.judge(Judged(step.id, result, how, found, (), note, "sam.ito", desk.at - day), at)
    tests.end(1, "sam.ito", desk.at - day)
