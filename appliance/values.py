"""The values a car becomes on its way from the lens to the record.

    Frame -> Motion -> PlateBox -> PlateText -> Glimpse -> Sighting | Decision -> Outcome -> Passage

Every value is frozen. This module imports nothing of ours, so every room may use it.
Two clocks are never mixed: a name ending in ``_mono`` is seconds of ``time.monotonic()`` (the same
for all programs of one machine since its boot), a name ending in ``_at`` is UTC wall time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Four corners in px of the full frame: top left, top right, bottom right, bottom left."""


class ClockQuality(StrEnum):
    """What a wall time is worth (the worth is recorded with every time that is kept)."""

    SYNCED = "synced"  # the kernel says a time server disciplines the clock
    FREE = "free"  # set once (RTC or by hand), running on its own since
    UNKNOWN = "unknown"  # never known to be right since boot


class Direction(StrEnum):
    """Way of travel through the lane, from the plate's movement in the picture."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What the gate does about a sighting."""

    OPEN = "open"
    ASK_GUARD = "ask_guard"
    STAY_CLOSED = "stay_closed"


class Reason(StrEnum):
    """Why a verdict was reached. Each has one sentence in the console's language files."""

    GRANTED = "granted"  # an allow grant matches, here and now
    VISITOR_GRANTED = "visitor_granted"  # a visitor grant matches, here and now
    LOOKALIKE_GRANTED = "lookalike_granted"  # only weak characters differ, no other grant collides
    MANUAL = "manual"  # a person opened
    BLOCKED = "blocked"  # a block grant matches exactly
    LOOKS_BLOCKED = "looks_blocked"  # the read is close to a blocked plate
    NOT_LISTED = "not_listed"  # no grant names this plate
    OUTSIDE_HOURS = "outside_hours"  # a grant matches but not at this hour
    NOT_YET_VALID = "not_yet_valid"  # a grant matches but begins later
    EXPIRED = "expired"  # a grant matched until it ended
    WRONG_LANE = "wrong_lane"  # a grant matches for another lane
    NEAR_MISS = "near_miss"  # a grant is one look-alike away, but not safely so
    TOO_FEW_GLIMPSES = "too_few_glimpses"  # not enough frames agree yet
    LOW_SCORE = "low_score"  # the read is too doubtful to act on
    TOO_OLD = "too_old"  # the sighting is older than a decision may live
    WRONG_DIRECTION = "wrong_direction"  # the car leaves through an entry
    NO_POLICY = "no_policy"  # no policy is published: nothing may happen by itself
    NO_RECORDS = "no_records"  # records cannot be kept: no unlogged automatic opening
    NO_PRESENCE = "no_presence"  # everything holds, but no car stands on the entry loop
    NEEDS_CODE = "needs_code"  # everything holds but the grant's code, which was not given yet
    NEEDS_RESIDENT = "needs_resident"  # the same with a resident's yes
    CLOCK_UNTRUSTED = "clock_untrusted"  # a schedule needs a clock that is known to be right
    LOOKUP_FAILED = "lookup_failed"  # the rules could not be applied: fail closed


class GrantKind(StrEnum):
    ALLOW = "allow"
    VISITOR = "visitor"
    BLOCK = "block"


class SecondFactor(StrEnum):
    """What a grant asks for besides its plate: a plate can be copied from any street."""

    NONE = ""
    CODE = "code"  # a number the driver knows
    RESIDENT = "resident"  # somebody of the unit says yes to this very car


class Purpose(StrEnum):
    """The closed list of purposes a policy may publish; a look-up names one of the published.

    An unlisted use is prohibited (checklist lines 2, 8, 9).
    """

    ACCESS_CONTROL = "access_control"  # letting cars in and answering at the gate
    VISITOR_QUERY = "visitor_query"  # helping a visitor, vendor or resident who asks
    INCIDENT = "incident"  # damage, theft or danger on the property
    RESIDENT_REQUEST = "resident_request"  # a person asks what is held about them
    ACCURACY = "accuracy"  # finding and correcting wrong reads
    AUDIT = "audit"  # checking that the policy is kept
    LEGAL_REQUEST = "legal_request"  # a police or court instrument


class Role(StrEnum):
    MANAGER = "manager"
    GUARD = "guard"
    AUDITOR = "auditor"
    INSTALLER = "installer"
    CUSTODIAN = "custodian"


class Moved(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class CameraState(StrEnum):
    """What the camera is worth now; each state is separated by what was last observed."""

    STARTING = "starting"  # no frame yet since the program started
    LIVE = "live"  # frames arrive and change
    FROZEN = "frozen"  # frames arrive, but have been bit-equal for 5 s
    BLACK = "black"  # frames arrive, but hold no light
    STALLED = "stalled"  # connected, but no frame for 5 s
    LOST = "lost"  # the connection failed; reconnecting with back-off
    ENDED = "ended"  # a file or folder was read to its end


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture; pixels are never kept beyond one step of the line."""

    seq: int
    taken_mono: float
    taken_at: datetime
    pixels: npt.NDArray[np.uint8]
    """uint8 (H, W, 3) BGR."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Where the picture changed."""

    boxes: tuple[tuple[int, int, int, int], ...]
    """x, y, width, height in px of the full frame."""
    share: float
    """Changed share of the lane mask, 0..1."""


@dataclass(frozen=True, slots=True)
class PlateBox:
    """Where a plate is."""

    corners: Quad
    score: float
    """The detector's score, 0..1."""

    @property
    def width_px(self) -> float:
        (ax, ay), (bx, by) = self.corners[0], self.corners[1]
        return float(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5)

    @property
    def upright(self) -> tuple[float, float, float, float]:
        """The axis-aligned box around the corners: x, y, width, height in px."""
        xs = [p[0] for p in self.corners]
        ys = [p[1] for p in self.corners]
        return (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class PlateText:
    """What a plate says: A-Z and 0-9, no separators."""

    text: str
    char_scores: tuple[float, ...]
    """Probability of each character, same length as ``text``."""
    alternatives: tuple[tuple[str, float], ...] = ()
    """Other readings and their probability, best first."""

    @property
    def score(self) -> float:
        """Mean character score, 0 where nothing was read."""
        return sum(self.char_scores) / len(self.char_scores) if self.char_scores else 0.0

    @property
    def weakest(self) -> float:
        return min(self.char_scores, default=0.0)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One plate in one frame."""

    frame_seq: int
    taken_mono: float
    where: PlateBox
    text: PlateText
    sharpness: float
    """Variance of the Laplacian of the cut-out; higher is sharper."""


@dataclass(frozen=True, slots=True)
class GlimpseNote:
    """What a record keeps of a glimpse: enough to explain a vote, no picture."""

    frame_seq: int
    at_s: float
    """Seconds after the track's first glimpse."""
    text: str
    score: float
    weakest: float
    width_px: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """What vision says of one car so far; sent again with a higher revision as votes arrive."""

    track: str
    """Unique over restarts of the program."""
    revision: int
    lane: str
    plate: str
    raw_plate: str
    """The best single glimpse, before voting."""
    score: float
    """Calibrated chance that the whole plate is right, 0..1."""
    char_scores: tuple[float, ...]
    agreeing: int
    glimpses: int
    first_mono: float
    last_mono: float
    direction: Direction
    seen_at: datetime
    clock: ClockQuality
    notes: tuple[GlimpseNote, ...] = ()
    """The latest glimpses, at most 12."""
    region: str = ""
    final: bool = False
    """True on the last revision: the car has left."""
    crop_jpeg: bytes = b""
    """The plate at the camera's own resolution, at most 60 kB."""


@dataclass(frozen=True, slots=True)
class RuleTried:
    """One rule of the policy and what it said."""

    rule: str
    held: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided about one sighting, and every rule it tried."""

    track: str
    revision: int
    verdict: Verdict
    reason: Reason
    grant_id: int | None
    grant_plate: str | None
    """The entry as listed, kept beside the raw read, never in its place."""
    grant_label: str
    policy_version: int
    decided_mono: float
    decided_at: datetime
    clock: ClockQuality
    rules: tuple[RuleTried, ...] = ()
    grant_kind: GrantKind | None = None  # of ``grant_id``; None in older decisions too


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the barrier did about an order."""

    order_id: str
    asked_mono: float
    acked_mono: float | None
    moved: Moved
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """The record of one car or one manual order."""

    key: str
    """The track, or the order's id for a manual opening: the same key is the same passage."""
    lane: str
    at: datetime
    sighting: Sighting | None
    decision: Decision | None
    outcome: Outcome | None
    actor: str = ""
    purpose: str = "access_control"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of a list. Times are UTC; hours are the site's local week."""

    id: int
    kind: GrantKind
    plate: str
    """A-Z0-9, normalised."""
    label: str
    """Unit or name as the manager wrote it."""
    from_at: datetime | None = None
    until_at: datetime | None = None
    hours: tuple[WeeklyHours, ...] = ()
    """Empty: at any hour."""
    lanes: tuple[str, ...] = ()
    """Empty: every lane."""
    second_factor: SecondFactor = SecondFactor.NONE
    code_mac: str = ""
    """Of a grant with ``SecondFactor.CODE``, as ``gatecode.mac`` makes it."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """A span of the site's local week: days 0 = Monday .. 6, minutes after midnight.

    ``until_minute`` less than or equal to ``from_minute`` reaches into the next day.
    """

    days: tuple[int, ...]
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """Everything a decision may look at, loaded as one immutable value."""

    version: int
    """Published policy version; 0 where none is published."""
    site_zone: str
    """IANA name, e.g. America/Chicago."""
    grants: tuple[Grant, ...]
    loaded_mono: float
    agreeing_needed: int = 3
    agreeing_needed_when_sure: int = 2


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """The policy in force. Nothing is stored while there is none (checklist line 1)."""

    version: int
    site_name: str
    site_zone: str
    """IANA name."""
    jurisdiction: str
    """Code such as us-ca; empty where none was chosen."""
    purposes: tuple[Purpose, ...]
    kept_hours_matched: float
    """Hours a read is kept whose car a visitor entry let in, or a block entry named."""
    kept_hours_unmatched: float
    """Hours every other read is kept."""
    published_at: datetime
    published_by: str
    kept_hours_resident: float = 0.0
    """Hours a read is kept whose car an allow entry let in; 0 means as ``kept_hours_matched``."""
    residents_counted: bool = False
    """Whether a car that an allow entry lets in leaves a counter and no record at all."""
    anti_passback: bool = False
    """Whether a counted car leaves a keyed hash of its plate too, whose key dies with the day."""

    @property
    def resident_hours(self) -> float:
        """What holds for a resident's read, also under a policy from before there were classes."""
        return self.kept_hours_resident or self.kept_hours_matched


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of the journal's hash chain."""

    seq: int
    at: datetime
    clock: ClockQuality
    actor: str
    role: str
    organisation: str
    action: str
    purpose: str
    reason: str
    query: str
    """JSON of the query's elements."""
    rows: int
    prev_hash: str
    hash: str
