"""Is the camera worth trusting now? A pure watch over what arrives; it reads no clock.

    STARTING  nothing has come yet
    LIVE      pictures come and change
    FROZEN    pictures come, but for FROZEN_S each was one of the last seconds' again
    BLACK     pictures come, but for BLACK_S none held light
    STALLED   connected, and nothing came for ``stall_s`` less the margin to tell it in time
    LOST      the connection failed
    ENDED     a file or folder was read to its end

A sensor's noise is the proof of life: a picture that is new differs a little from every one of the
last seconds. A frozen picture that is still encoded does not: its key frames differ from the
frames between, but each comes back every few seconds (measured on re-encoded stills: apart by 0.0
to 0.08 grey levels from one of the last 50; a live scene by 0.9 and more). Only live sources can
freeze: a rendered clip may rightly hold still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from appliance.values import CameraState

FROZEN_S = 3.0  # key frames up to 2 s apart: told within 5 s
BLACK_S = 3.0
NOTICE_MARGIN_S = 0.5  # a stall is told within stall_s, so it is judged a little before

_THIN = 16  # every 16th pixel both ways, not smoothed, shows the noise
_REMEMBERED_S = 5.0
_MOST_REMEMBERED = 60
_NEW_MEAN = 0.20  # grey levels
_NEW_SHARE = 0.002  # share of pixels apart by more than _NEW_LEVELS
_NEW_LEVELS = 4
_BLACK_MEAN = 10.0
_BLACK_BRIGHTEST = 40.0  # the 99.8th percentile: one lit lamp makes a night picture
_JUMP = 0.85  # correlation of two small pictures in a row under which the scene has jumped
_FLAT = 3.0  # grey levels of deviation under which a picture has no structure to compare

_Thin = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Health:
    """What the status shows."""

    state: CameraState
    since_mono: float
    width: int = 0
    height: int = 0


class PictureWatch:
    """Fed by the camera's thread, asked by any; the caller holds the lock."""

    def __init__(self, started_mono: float, *, live: bool, stall_s: float) -> None:
        self._live = live
        self._stall_s = stall_s - NOTICE_MARGIN_S
        self._state = CameraState.STARTING
        self._since_mono = started_mono
        self._waiting_from_mono: float | None = None
        self._remembered: deque[tuple[float, _Thin]] = deque(maxlen=_MOST_REMEMBERED)
        self._structure: npt.NDArray[np.float32] | None = None
        self._new_mono = started_mono
        self._lit_mono = started_mono
        self._shape = (0, 0)
        self.size_changes = 0
        self.jumps = 0
        """Times the whole scene changed from one picture to the next."""

    def connected(self, now: float) -> None:
        """The source was opened; from here the wait for a picture counts."""
        self._waiting_from_mono = now

    def picture(self, pixels: npt.NDArray[np.uint8], now: float) -> None:
        """A picture uint8 (H, W, 3) arrived."""
        shape = (pixels.shape[0], pixels.shape[1])
        if self._shape != shape:
            self.size_changes += self._shape != (0, 0)
            self._shape, self._structure = shape, None
            self._remembered.clear()
        self._waiting_from_mono = now
        if not self._live:
            self._be(CameraState.LIVE, now)
            return
        thin = pixels[::_THIN, ::_THIN, 1].astype(np.int16)
        self._note_jump(thin)
        is_new, is_lit = self._is_new(thin, now), _lit(thin)
        self._new_mono = now if is_new else self._new_mono
        self._lit_mono = now if is_lit else self._lit_mono
        if now - self._lit_mono >= BLACK_S:
            self._be(CameraState.BLACK, now)
        elif now - self._new_mono >= FROZEN_S:
            self._be(CameraState.FROZEN, now)
        elif (is_new and is_lit) or self._state not in (CameraState.FROZEN, CameraState.BLACK):
            self._be(CameraState.LIVE, now)

    def given_up(self) -> None:
        """The connection was dropped on purpose; the state stays until something is seen."""
        self._waiting_from_mono = None

    def lost(self, now: float) -> None:
        """The connection failed or could not be made."""
        self._waiting_from_mono = None
        self._be(CameraState.LOST, now)

    def ended(self, now: float) -> None:
        self._waiting_from_mono = None
        self._be(CameraState.ENDED, now)

    def health(self, now: float) -> Health:
        waiting = self._waiting_from_mono
        if waiting is not None and self.too_long(now - waiting):
            self._be(CameraState.STALLED, now)
        return Health(self._state, self._since_mono, self._shape[1], self._shape[0])

    def too_long(self, silence_s: float) -> bool:
        """Whether a connected camera that is silent for so long counts as stalled."""
        return silence_s >= self._stall_s

    def _is_new(self, thin: _Thin, now: float) -> bool:
        while self._remembered and now - self._remembered[0][0] > _REMEMBERED_S:
            self._remembered.popleft()
        is_new = all(_apart(thin, old) for _, old in reversed(self._remembered))
        self._remembered.append((now, thin))
        return is_new

    def _note_jump(self, thin: _Thin) -> None:
        structure = cv2.resize(thin.astype(np.float32), (16, 9), interpolation=cv2.INTER_AREA)
        before, self._structure = self._structure, structure
        if before is not None and min(structure.std(), before.std()) >= _FLAT:
            alike = np.corrcoef(structure.ravel(), before.ravel())[0, 1]
            self.jumps += bool(alike < _JUMP)

    def _be(self, state: CameraState, now: float) -> None:
        if state is not self._state:
            self._state, self._since_mono = state, now


def _apart(thin: _Thin, old: _Thin) -> bool:
    apart = np.abs(thin - old)
    return bool(apart.mean() > _NEW_MEAN or (apart > _NEW_LEVELS).mean() > _NEW_SHARE)


def _lit(thin: _Thin) -> bool:
    return bool(thin.mean() > _BLACK_MEAN or np.percentile(thin, 99.8) > _BLACK_BRIGHTEST)
