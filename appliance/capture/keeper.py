"""Keeps one camera open for ever and its newest picture in the mailbox.

A session is one opening of the source on a thread of its own: it opens, reads and puts frames into
the mailbox until it fails, ends or is abandoned. ``tick`` is called by the program's loop a few
times a second and decides everything: it begins a session when one is due, abandons one that is
stuck inside a blocking read (the thread ends by itself when FFmpeg gives up), and renews one whose
pictures froze or went black. Waits double from 0.5 s to 15 s and fall back once a session has
lived for ``_PROVEN_S``. Each change of state is logged once; the address never is.
Threads: ``tick``, ``health`` and ``stop`` on the program's; a session on its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from appliance import clock
from appliance.capture.health import Health, PictureWatch
from appliance.capture.mailbox import Mailbox
from appliance.capture.probe import SizeProbe
from appliance.capture.source import Shot, Source, SourceKind
from appliance.errors import CaptureError
from appliance.values import CameraState, Frame

logger = logging.getLogger(__name__)

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
_RENEW_WAIT_S = 0.5  # a frozen or black picture: first renewal, then doubling
_LONGEST_RENEW_S = 60.0
_PROVEN_S = 5.0
_OPENING_S = 6.0  # an opening that takes longer is stuck
_ENDING_S = 1.0
_MOST_ABANDONED = 4  # threads stuck in the camera's driver at once


class Backoff:
    """A wait that doubles from ``first_s`` to ``longest_s``."""

    def __init__(self, first_s: float = FIRST_WAIT_S, longest_s: float = LONGEST_WAIT_S) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        wait, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return wait

    def reset(self) -> None:
        self._next_s = self._first_s


class CameraKeeper:
    """``make_source`` builds an unopened source; it is called once a session."""

    def __init__(
        self,
        make_source: Callable[[], Source],
        mailbox: Mailbox[Frame],
        kind: SourceKind,
        stall_s: float,
        now: float,
    ) -> None:
        self._make_source = make_source
        self._mailbox = mailbox
        self.kind = kind
        self._lock = threading.Lock()
        self._watch = PictureWatch(now, live=kind.live, stall_s=stall_s)
        self._session: _Session | None = None
        self._abandoned: list[_Session] = []
        self._backoff = Backoff()
        self._renewal = Backoff(_RENEW_WAIT_S, _LONGEST_RENEW_S)
        self._try_mono = now
        self._renew_mono: float | None = None
        self._probe = SizeProbe(make_source)
        self._jumps_seen = 0
        self._told: CameraState | None = None
        self._sizes_told = 0
        self._seq = 0
        self._over = False
        self.sessions = 0
        self.last_error: CaptureError | None = None

    @property
    def frames(self) -> int:
        """Pictures that came since the start."""
        return self._seq

    @property
    def reconnects(self) -> int:
        return max(0, self.sessions - 1)

    def tick(self, now: float) -> Health:
        """Mends what must be mended; returns the camera's state."""
        health = self.health(now)
        session = self._session
        if session is not None and session.over:
            self._session = None
            health = self._session_over(session, now)
        elif session is not None:
            health = self._renew_where_useless(session, health, now)
            self._renew_where_resized(health, now)
        if self._session is None and not self._over and now >= self._try_mono:
            self._begin(now)
        self._tell(health)
        return health

    def health(self, now: float) -> Health:
        with self._lock:
            return self._watch.health(now)

    def stop(self) -> bool:
        """Ends all sessions; False where a thread is still stuck in the camera's driver.

        The interpreter must then be left by ``os._exit``: ending under such a thread aborts.
        """
        self._over = True
        sessions = [s for s in (self._session, *self._abandoned) if s is not None]
        for session in sessions:
            session.abandon()
        return all([session.ended_within(_ENDING_S) for session in sessions])

    def _begin(self, now: float) -> None:
        self._abandoned = [s for s in self._abandoned if s.running]
        if len(self._abandoned) >= _MOST_ABANDONED:
            self._try_mono = now + self._backoff.next_s()
            return
        self.sessions += 1
        self._session = _Session(self, self._make_source, now)
        self._session.start()

    def _session_over(self, session: _Session, now: float) -> Health:
        self.last_error = session.error
        with self._lock:
            if session.error is None:
                self._over = True
                self._watch.ended(now)
            else:
                self._watch.lost(now)
        self._wait(session, now)
        return self.health(now)

    def _renew_where_useless(self, session: _Session, health: Health, now: float) -> Health:
        if health.state in (CameraState.FROZEN, CameraState.BLACK):
            if self._renew_mono is None:
                self._renew_mono = now + self._renewal.next_s()
            useless = now >= self._renew_mono
        else:
            self._renew_mono = None
            if health.state is CameraState.LIVE:
                self._renewal.reset()
            stuck_opening = not session.opened and now - session.begun_mono > _OPENING_S
            useless = stuck_opening or (
                session.opened and self._watch.too_long(session.silent_s(now))
            )
            if stuck_opening:
                with self._lock:
                    self._watch.lost(now)
        if useless:
            self._abandon(session)
            self._wait(session, now)
        return self.health(now)

    def _renew_where_resized(self, health: Health, now: float) -> None:
        if self._watch.jumps != self._jumps_seen:
            self._jumps_seen = self._watch.jumps
            self._probe.ask(now)
        size = self._probe.answer()
        if size is not None and size != (health.width, health.height) and self._session:
            logger.warning("camera names another size width=%s height=%s", *size)
            self._abandon(self._session)
            self._try_mono = now

    def _abandon(self, session: _Session) -> None:
        session.abandon()
        with self._lock:
            self._watch.given_up()
        self._abandoned.append(session)
        self._session = None
        self._renew_mono = None

    def _wait(self, session: _Session, now: float) -> None:
        if session.lived_s(now) >= _PROVEN_S:
            self._backoff.reset()
        self._try_mono = now + self._backoff.next_s()

    def _tell(self, health: Health) -> None:
        if health.state is not self._told:
            self._told = health.state
            fine = health.state in (CameraState.STARTING, CameraState.LIVE)
            level = logging.INFO if fine else logging.WARNING
            logger.log(level, "camera state=%s kind=%s width=%s height=%s", health.state.value,
                       self.kind.value, health.width, health.height)
        if self._watch.size_changes != self._sizes_told:
            self._sizes_told = self._watch.size_changes
            logger.warning("camera changed size width=%s height=%s", health.width, health.height)

    # called by the session's thread

    def connected(self, session: _Session, now: float) -> None:
        with self._lock:
            if session is self._session:
                self._watch.connected(now)

    def deliver(self, session: _Session, shot: Shot, now: float, at: datetime) -> bool:
        """False where the session was abandoned: its picture is not used."""
        with self._lock:
            if session is not self._session or self._over:
                return False
            self._watch.picture(shot.pixels, now)
            self._seq += 1
            frame = Frame(self._seq, now, at, shot.pixels)
        self._mailbox.put(frame)
        return True


class _Session:
    """One opening of the source, on its own thread."""

    def __init__(self, keeper: CameraKeeper, make_source: Callable[[], Source], now: float) -> None:
        self._keeper = keeper
        self._make_source = make_source
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self.begun_mono = now
        self._last_mono = now
        self.opened = False
        self.over = False
        self.error: CaptureError | None = None

    def start(self) -> None:
        self._thread.start()

    def abandon(self) -> None:
        self._given_up.set()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def ended_within(self, limit_s: float) -> bool:
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def lived_s(self, now: float) -> float:
        """Seconds for which pictures came."""
        return min(self._last_mono, now) - self.begun_mono

    def silent_s(self, now: float) -> float:
        """Seconds since this session's own last picture or its opening."""
        return now - self._last_mono

    def _run(self) -> None:
        source: Source | None = None
        try:
            source = self._make_source()
            source.open()
            self.opened = True
            self._last_mono = clock.mono()
            self._keeper.connected(self, self._last_mono)
            self._read_all(source)
        except CaptureError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a driver's failure must not end the camera for good
            logger.error("camera session failed error=%s", type(error).__name__)
            self.error = CaptureError("the camera's driver failed")
        finally:
            self.over = True
            if source is not None:
                source.close()

    def _read_all(self, source: Source) -> None:
        begun_mono = clock.mono()
        while not self._given_up.is_set():
            shot = source.read()
            if shot is None:
                return
            if not source.kind.live:  # a replay runs at its own pace, as a camera would
                self._given_up.wait(max(0.0, begun_mono + shot.at_s - clock.mono()))
            self._last_mono = clock.mono()
            if not self._keeper.deliver(self, shot, self._last_mono, clock.utc_now()):
                return
        self.error = CaptureError("the camera was given up")
