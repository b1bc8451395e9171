"""The signs a plate can bear and the shape its text must have.

Rules
- A plate's text is 4 to 9 signs of 0-9 and A-Z (shop signs, badges and dates are mostly not).
- It holds no more than four equal signs in a row: rails, grilles and fences read as 1111 and HHHH.
- It is never letters alone beyond seven: that is a dealer's or maker's name.
Whether the signs obey a region's grammar is judged after the vote, never before it: filtering
single glimpses starves the vote.
"""

from __future__ import annotations

import re

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = len(SIGNS)
SHORTEST, LONGEST = 4, 9

_SAME_SIGN = re.compile(r"(.)\1{4}")


def plausible(text: str) -> bool:
    """Whether a text could be a plate's, by length and shape alone."""
    if not SHORTEST <= len(text) <= LONGEST or _SAME_SIGN.search(text):
        return False
    return not (len(text) > 7 and text.isalpha())
