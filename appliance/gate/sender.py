"""Hands passages and journal entries to `records`, for as long as it takes.

1. ``put`` never waits: the newest revision of a passage takes the place of an unsent older one.
2. A letter leaves the queue when records acknowledged it, or refused it for good (counted, and an
   issue where it is a loss).
3. The queue holds ``MOST`` letters. When it is full a new passage is counted as lost and the gate
   no longer opens by itself.
4. Records is well while it has answered within ``UNREACHABLE_S`` and there is room; before its
   first answer it is not. An answer that says its journal cannot be written (``records_ok``
   false) takes the passage but does not count as an answer here.
5. Whoever must know hears what became of a letter: ``done(True)`` once records has it or may not
   keep it by law, ``done(False)`` where it has to be handed in again.

One thread sends. ``put`` and the questions may come from any thread.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from appliance import clock, codec, ipc
from appliance.errors import IpcError
from appliance.gate.issues import Issues
from appliance.values import Passage

logger = logging.getLogger(__name__)

MOST = 1000
UNREACHABLE_S = 5.0
PING_S = 1.0
_BACK_OFF_S = (0.05, 1.0)
_MOST_TRIES = 20  # of a letter that records keeps refusing while it takes others
_FOR_GOOD = {
    "no_policy", "purpose_refused", "role_refused", "reason_refused", "ipc", "unknown_verb",
}
"""Refusals that another try cannot change. No policy: nothing may be kept, so nothing is lost."""


Done = Callable[[bool], None]
"""Called on the sender's thread; must not wait."""


class Call(Protocol):
    def __call__(
        self, verb: str, fields: Mapping[str, Any], *, blob: bytes = b""
    ) -> ipc.Message: ...


@dataclass(slots=True)
class _Letter:
    verb: str
    fields: Callable[[], Mapping[str, Any]]
    blob: bytes = b""
    done: Done | None = None
    tries: int = 0


class Sender:
    """Owns the queue; ``call`` asks records and raises IpcError or ipc.Refused."""

    def __init__(
        self, call: Call, issues: Issues, now: Callable[[], float] = clock.mono
    ) -> None:
        self._call = call
        self._issues = issues
        self._now = now
        self._letters: OrderedDict[str, _Letter] = OrderedDict()
        self._changed = threading.Condition()
        self._answered_mono: float | None = None
        self._back_off_s = _BACK_OFF_S[0]
        self._failing = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.counts: Counter[str] = Counter({"kept": 0, "lost": 0, "not_kept_no_policy": 0})

    def put(self, passage: Passage, done: Done | None = None) -> None:
        crop = passage.sighting.crop_jpeg if passage.sighting else b""
        self._put(
            f"passage:{passage.key}",
            _Letter("keep", lambda: {"passage": codec.encode(passage)}, crop, done),
        )

    def put_journal(self, key: str, entry: Mapping[str, Any], done: Done | None = None) -> None:
        """An entry that could not be journaled before its act: records was silent, or the act
        was the controller's own."""
        self._put(f"journal:{key}", _Letter("journal", lambda: entry, done=done))

    def ok(self, now_mono: float) -> bool:
        """True while the record of a passage made now can be relied on."""
        answered = self._answered_mono
        recent = answered is not None and now_mono - answered <= UNREACHABLE_S
        return recent and len(self._letters) < MOST

    @property
    def queued(self) -> int:
        return len(self._letters)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="records-sender", daemon=True)
        self._thread.start()

    def stop(self, flush_s: float = 2.0) -> None:
        """Sends what it can within ``flush_s`` and ends the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(flush_s)

    def step(self) -> float:
        """Sends the oldest letter, or asks whether records is there. Returns how long to rest
        before the next step, in s; 0 when there is more to send."""
        with self._changed:
            key, letter = next(iter(self._letters.items()), ("", None))
        try:
            if letter is None:
                answer = self._call("status", {})
            else:
                answer = self._call(letter.verb, letter.fields(), blob=letter.blob)
        except ipc.Refused as refusal:
            return self._refused(key, letter, str(refusal.fields.get("refused_key", "")))
        except IpcError:
            return self._rest()
        if answer.header.get("records_ok", True):
            self._answered()
        if letter is None:
            return PING_S
        self._done(key, letter, "kept")
        return 0.0

    def _put(self, key: str, letter: _Letter) -> None:
        with self._changed:
            older = self._letters.get(key)
            full = older is None and len(self._letters) >= MOST
            if not full:
                letter.done = letter.done or (older.done if older else None)
                self._letters[key] = letter
                self._changed.notify()
        if full and letter.done is not None:
            letter.done(False)  # whoever handed it in keeps it
        elif full:
            self.counts["lost"] += 1
            self._issues.set("records_lost", True)

    def _run(self) -> None:
        while not (self._stopping and (self._failing or not self._letters)):
            try:
                rest_s = self.step()
            except Exception as error:  # noqa: BLE001 - the sender must outlive any fault
                logger.error("sending failed error=%s", type(error).__name__)
                rest_s = _BACK_OFF_S[1]
            self._issues.set("records_down", not self.ok(self._now()))
            with self._changed:
                # A new letter ends an idle rest at once, but not a back-off.
                self._changed.wait_for(
                    lambda: self._stopping or (not self._failing and self._letters), rest_s
                )

    def _refused(self, key: str, letter: _Letter | None, why: str) -> float:
        """Records is there but did not take the letter."""
        if letter is None:
            return self._rest()
        letter.tries += 1
        if why == "no_policy":
            self._answered()
            self._done(key, letter, "not_kept_no_policy")
        elif why in _FOR_GOOD or letter.tries >= _MOST_TRIES:
            logger.error("letter refused for good verb=%s why=%s", letter.verb, why)
            self._issues.set("records_lost", True)
            self._done(key, letter, "lost")
        else:
            with self._changed:
                if self._letters.get(key) is letter:
                    self._letters.move_to_end(key)
            return self._rest()
        return 0.0

    def _done(self, key: str, letter: _Letter, counted: str) -> None:
        self.counts[counted] += 1
        with self._changed:
            if self._letters.get(key) is letter:  # else a newer revision came meanwhile
                del self._letters[key]
        if letter.done is not None:
            letter.done(counted != "lost")

    def _answered(self) -> None:
        self._answered_mono = self._now()
        self._failing = False
        self._back_off_s = _BACK_OFF_S[0]

    def _rest(self) -> float:
        self._failing = True
        rest_s = self._back_off_s
        self._back_off_s = min(_BACK_OFF_S[1], 2 * self._back_off_s)
        return rest_s
