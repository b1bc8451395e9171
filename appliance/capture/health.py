"""Is the camera worth trusting now? A pure watch over what arrives; it reads no clock.

    STARTING  nothing has come yet
    LIVE      pictures come and change
    FROZEN    pictures come, but for FROZEN_S none differed by more than a re-encoding does
    BLACK     pictures come, but for BLACK_S none held light
    STALLED   connected, and nothing came for ``stall_s`` less the margin to tell it in time
    LOST      the connection failed
    ENDED     a file or folder was read to its end

Frozen and black are judged on every eighth pixel, unsmoothed: a real sensor's noise is the proof of
life. Only live sources can freeze: a rendered clip may rightly hold still.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.values import CameraState

FROZEN_S = 4.0
BLACK_S = 3.0
NOTICE_MARGIN_S = 0.5  # a stall is told within stall_s, so it is judged a little before

_STEP = 8
_STILL_MEAN = 0.20  # grey levels; encoders redraw a still at 0.0-0.1, a dark live scene stays > 0.3
_STILL_SHARE = 0.002  # share of pixels that may differ by more than _STILL_LEVELS
_STILL_LEVELS = 4
_BLACK_MEAN = 10.0
_BLACK_BRIGHTEST = 40.0  # the 99.5th percentile: one lit lamp makes a night picture


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
        self._still: npt.NDArray[np.int16] | None = None
        self._still_since_mono = started_mono
        self._lit_mono = started_mono
        self._shape = (0, 0)
        self.size_changes = 0

    def connected(self, now: float) -> None:
        """The source was opened; from here the wait for a picture counts."""
        self._waiting_from_mono = now

    def picture(self, pixels: npt.NDArray[np.uint8], now: float) -> None:
        """A picture uint8 (H, W, 3) arrived."""
        shape = (pixels.shape[0], pixels.shape[1])
        if self._shape != shape:
            self.size_changes += self._shape != (0, 0)
            self._shape, self._still = shape, None
        self._waiting_from_mono = now
        small = pixels[::_STEP, ::_STEP, 1].astype(np.int16)
        if not self._live:
            self._be(CameraState.LIVE, now)
            return
        if self._still is None or _differs(small, self._still):
            self._still, self._still_since_mono = small, now
        if _lit(small):
            self._lit_mono = now
        if now - self._lit_mono >= BLACK_S:
            self._be(CameraState.BLACK, now)
        elif now - self._still_since_mono >= FROZEN_S:
            self._be(CameraState.FROZEN, now)
        elif self._state not in (CameraState.FROZEN, CameraState.BLACK) or self._proven(now):
            self._be(CameraState.LIVE, now)

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

    def _proven(self, now: float) -> bool:
        """Whether a frozen or black camera shows life again."""
        return self._lit_mono == now and self._still_since_mono == now

    def _be(self, state: CameraState, now: float) -> None:
        if state is not self._state:
            self._state, self._since_mono = state, now


def _differs(small: npt.NDArray[np.int16], still: npt.NDArray[np.int16]) -> bool:
    apart = np.abs(small - still)
    return bool(
        apart.mean() > _STILL_MEAN or (apart > _STILL_LEVELS).mean() > _STILL_SHARE
    )


def _lit(small: npt.NDArray[np.int16]) -> bool:
    return bool(small.mean() > _BLACK_MEAN or np.percentile(small, 99.5) > _BLACK_BRIGHTEST)
