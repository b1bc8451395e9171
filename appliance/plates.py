"""One place that says what a plate's text is: A-Z and 0-9, nothing else."""

from __future__ import annotations

import unicodedata

from appliance.errors import ApplianceError

LONGEST = 12


class PlateRefused(ApplianceError):
    key = "plate_refused"


def normalise(written: str) -> str:
    """A plate as typed or read, in the form that is compared. Raises PlateRefused."""
    plain = unicodedata.normalize("NFKD", written).upper()
    text = "".join(c for c in plain if c.isascii() and c.isalnum())
    if not 2 <= len(text) <= LONGEST:
        raise PlateRefused(
            "a plate has 2 to 12 letters and digits",
            next_step="Write it as it stands on the car",
        )
    return text
