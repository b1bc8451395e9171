"""Characters that a camera takes for one another, and texts that are nearly the same.

1. Two characters look alike where they stand in one group below; the groups share no character,
   so "looks alike" is the same question from both sides and for any number of characters.
2. Two plates have the same shape where they are equally long and look alike at every place.
3. One edit is one character replaced, added or left out.

The groups are the pairs that owners of plate readers report again and again (0/O/D/Q, 1/I/L, 2/Z,
5/S, 6/G, 8/B) and the two of plate fonts whose strokes merge when blurred (V/Y by the stem, H/M/W
by the diagonals between two uprights). Pairs that only a poor reader confuses (7/T, 4/A, C/G) are
left out on purpose: each pair here lets a car in that is not listed to the letter.
"""

from __future__ import annotations

GROUPS = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B", "VY", "HMW")

_SHAPES = str.maketrans({c: group[0] for group in GROUPS for c in group})
_GROUP_OF = {c: group for group in GROUPS for c in group}


def shape(plate: str) -> str:
    """The plate with every character replaced by the first of its group."""
    return plate.translate(_SHAPES)


def look_alike(plate: str, other: str) -> bool:
    """True where no place tells the two apart for sure; a plate looks like itself."""
    return shape(plate) == shape(other)


def differing(plate: str, other: str) -> tuple[int, ...]:
    """Places (0-based) at which two equally long plates differ. Raises ValueError otherwise."""
    return tuple(
        place for place, (a, b) in enumerate(zip(plate, other, strict=True)) if a != b
    )


def within_one_edit(plate: str, other: str) -> bool:
    """True where at most one character is replaced, added or left out."""
    if len(plate) > len(other):
        plate, other = other, plate
    if len(other) - len(plate) > 1:
        return False
    same = 0
    while same < len(plate) and plate[same] == other[same]:
        same += 1
    if len(plate) == len(other):
        return plate[same + 1 :] == other[same + 1 :]
    return plate[same:] == other[same + 1 :]


def shortened(plate: str) -> frozenset[str]:
    """The plate and every text that lacks one of its characters.

    Two texts within one edit always share an element, so a table of these finds all near plates
    with a handful of look-ups, however long the list is.
    """
    return frozenset({plate, *(plate[:i] + plate[i + 1 :] for i in range(len(plate)))})


def misreads(plate: str) -> tuple[str, ...]:
    """Every text with one look-alike in place of a character: what a doubtful read may say."""
    return tuple(
        plate[:place] + other + plate[place + 1 :]
        for place, char in enumerate(plate)
        for other in _GROUP_OF.get(char, "")
        if other != char
    )
