"""A small bundle of invented reads, sealed by an invented unit, cheap to open."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.records.bundle import Cost, Sealer
from appliance.records.keys import DeviceKeys

PASSPHRASE = "nine quiet herons"
CHEAP = Cost(memory_kib=8, passes=1)
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNIT = DeviceKeys(bytes(32), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_UNIT = DeviceKeys(bytes(32), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(32)))
READ: dict[str, Any] = {
    "key": "a",
    "lane": "main",
    "at": "2026-11-21T12:00:00.000Z",
    "sighting": {"plate": "PSTN101", "score": 0.97, "direction": "in", "agreeing": 3},
    "decision": {"verdict": "ask_guard", "reason": "not_listed"},
    "outcome": None,
}
ENTRIES = {
    "passages/2026-11-21.1.json": json.dumps(READ).encode(),
    "pictures/2026-11-21.1.jpg": b"\xff\xd8" + bytes(range(256)) * 300,
    "custody.html": b"<h1>Custody</h1>",
}


def sealed(entries: dict[str, bytes] | None = None, keys: DeviceKeys = UNIT, **told: Any) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(io.BytesIO(), "export-1", PASSPHRASE, CHEAP)
    for name, content in (ENTRIES if entries is None else entries).items():
        sealer.add(name, content)
    manifest = {"release": {"officer": "Sgt. Example", "agency": "Example PD"}, **told}
    done = sealer.finish(out, manifest, keys, AT)
    assert done.size == len(out.getvalue())
    return out.getvalue()
