"""The second factor's code: 4 to 8 digits, kept only as what a keyed digest makes of them.

A code this short is found by trying wherever the digest's key is known. So the digest is keyed with
a key derived from the site's, which never leaves this box, and the gate counts wrong tries
(``gate.confirmations``). A salt of its own hides that two grants share a code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from appliance.errors import ApplianceError

FEWEST_DIGITS, MOST_DIGITS = 4, 8
_CODE = re.compile(rf"[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}")
_MAC = re.compile(r"([0-9a-f]{32})\$([0-9a-f]{64})")


class CodeRefused(ApplianceError):
    key = "code_refused"


def mac(site_key: bytes, code: str) -> str:
    """What a grant keeps of its code: ``salt$hex``. Raises CodeRefused."""
    if not _CODE.fullmatch(code):
        raise CodeRefused(
            f"a code has {FEWEST_DIGITS} to {MOST_DIGITS} digits", next_step="Write digits only"
        )
    salt = secrets.token_hex(16)
    return f"{salt}${_digest(site_key, salt, code)}"


def matches(site_key: bytes, code: str, mac: str) -> bool:
    """Whether this is the code; False for anything that is no code or no such digest."""
    kept = _MAC.fullmatch(mac)
    if kept is None or not _CODE.fullmatch(code):
        return False
    return hmac.compare_digest(_digest(site_key, kept[1], code), kept[2])


def _digest(site_key: bytes, salt: str, code: str) -> str:
    own = hashlib.blake2b(b"gate code", key=site_key, digest_size=32).digest()
    return hmac.digest(own, f"{salt}${code}".encode(), "sha256").hex()
