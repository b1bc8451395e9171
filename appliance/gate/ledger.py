"""Which cars were ordered in already: the memory that outlives a killed gate.

A ring of fixed 128-byte records in ``run_dir`` (a tmpfs), made and opened at start, so that the
link thread writes one down with a single ``pwrite`` just before its order goes out:

    seq u64 | claimed_mono f64 | acked_mono f64, NaN: never | moved u8 | 7 spare | track 48 bytes
    | plate fingerprint 16 | 20 spare | boot 8 | crc32 of all before it

1. A track in the ledger is never ordered again, whatever became of the order.
2. A plate in the ledger is not ordered again for ``SAME_CAR_S``: a restarted camera program gives
   the same car a new track.
3. What cannot be written is not ordered (``Fault.NO_LEDGER``).
4. Records of an earlier boot of the machine are void: the monotonic clock began anew.

A plate is kept as a keyed fingerprint only. Tracks are not plates. Claims and settlements come from
the link thread; questions may come from any thread (they read dictionaries).
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.barrier.orders import Fault, Order
from appliance.config import Config
from appliance.values import Moved, Outcome

SAME_CAR_S = 10.0
SLOTS = 4096
_RECORD = struct.Struct("<QddB7x48s16s20x8sI")
_SIZE = _RECORD.size
_MOVED = (Moved.UNKNOWN, Moved.YES, Moved.NO)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Entry:
    """One order that was written down."""

    seq: int
    track: str
    fingerprint: bytes
    claimed_mono: float
    acked_mono: float | None
    moved: Moved


class Ledger:
    """The open ledger. ``key`` makes the plate fingerprints useless to whoever finds the file."""

    def __init__(self, path: Path, key: bytes, boot: bytes | None = None) -> None:
        self._key = key[:64]
        self._boot = boot if boot is not None else _this_boot()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.posix_fallocate(self._file, 0, SLOTS * _SIZE)
        self._by_track: dict[str, Entry] = {}
        self._by_plate: dict[bytes, float] = {}
        self._next = 0
        for entry in sorted(_read(self._file, self._boot), key=lambda e: e.seq):
            self._keep(entry)
            self._next = entry.seq + 1

    def entry(self, track: str) -> Entry | None:
        """What is known of a track that was ordered in."""
        return self._by_track.get(_as_kept(track))

    def ordered_plate(self, plate: str, now_mono: float) -> bool:
        """True where that car was ordered in within ``SAME_CAR_S``."""
        claimed = self._by_plate.get(self._fingerprint(plate))
        return claimed is not None and now_mono - claimed < SAME_CAR_S

    def claim(self, order: Order, now_mono: float) -> Fault | None:
        """Writes the order down. Any answer but None means that it must not go out."""
        if self.entry(order.track) or self.ordered_plate(order.plate, now_mono):
            return Fault.ALREADY_ORDERED
        entry = Entry(
            self._next, _as_kept(order.track), self._fingerprint(order.plate), now_mono, None,
            Moved.UNKNOWN,
        )
        if not self._write(entry):
            return Fault.NO_LEDGER
        self._next += 1
        self._keep(entry)
        return None

    def settle(self, track: str, outcome: Outcome) -> None:
        """Adds what became of the order. A failure to write is of no consequence: the claim
        stands."""
        entry = self.entry(track)
        if entry is not None:
            settled = Entry(
                entry.seq, entry.track, entry.fingerprint, entry.claimed_mono,
                outcome.acked_mono, outcome.moved,
            )
            self._write(settled)
            self._keep(settled)

    def close(self) -> None:
        os.close(self._file)

    def _keep(self, entry: Entry) -> None:
        self._by_track[entry.track] = entry
        latest = self._by_plate.get(entry.fingerprint, entry.claimed_mono)
        self._by_plate[entry.fingerprint] = max(latest, entry.claimed_mono)
        while len(self._by_track) > SLOTS:
            oldest = self._by_track.pop(next(iter(self._by_track)))
            if self._by_plate.get(oldest.fingerprint) == oldest.claimed_mono:
                del self._by_plate[oldest.fingerprint]

    def _write(self, entry: Entry) -> bool:
        record = _packed(entry, self._boot)
        try:
            return os.pwrite(self._file, record, (entry.seq % SLOTS) * _SIZE) == _SIZE
        except OSError:
            return False

    def _fingerprint(self, plate: str) -> bytes:
        return hashlib.blake2b(plate.encode(), key=self._key, digest_size=16).digest()


def path_of(config: Config) -> Path:
    return config.device.run_dir / "orders.ledger"


def read_all(config: Config) -> list[str]:
    """The track of every order written down since boot, oldest first, once per order."""
    try:
        file = os.open(path_of(config), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        entries = sorted(_read(file, _this_boot()), key=lambda e: e.seq)
    finally:
        os.close(file)
    return [entry.track for entry in entries]


def _as_kept(track: str) -> str:
    """Tracks that do not fit a record are kept by their digest."""
    if len(track.encode()) <= 48 and "\0" not in track:
        return track
    return hashlib.blake2b(track.encode(), digest_size=24).hexdigest()


def _this_boot() -> bytes:
    try:
        return hashlib.blake2b(_BOOT_ID.read_bytes(), digest_size=8).digest()
    except OSError:
        return bytes(8)


def _packed(entry: Entry, boot: bytes) -> bytes:
    acked = math.nan if entry.acked_mono is None else entry.acked_mono
    body = _RECORD.pack(
        entry.seq, entry.claimed_mono, acked, _MOVED.index(entry.moved),
        entry.track.encode(), entry.fingerprint, boot, 0,
    )[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def _read(file: int, boot: bytes) -> Iterator[Entry]:
    """Every whole record of this boot; torn, empty and foreign ones are passed over."""
    data = os.pread(file, SLOTS * _SIZE, 0)
    for at in range(0, len(data) - _SIZE + 1, _SIZE):
        seq, claimed, acked, moved, track, fingerprint, of_boot, crc = _RECORD.unpack_from(data, at)
        whole = crc == zlib.crc32(data[at : at + _SIZE - 4]) and moved < len(_MOVED)
        if whole and of_boot == boot:
            yield Entry(
                seq, track.rstrip(b"\0").decode(), fingerprint, claimed,
                None if math.isnan(acked) else acked, _MOVED[moved],
            )
