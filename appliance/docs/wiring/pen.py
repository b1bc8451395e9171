"""The pen of the wiring diagrams: blocks, terminals, wires and the contacts of IEC 60617.

Every picture is 800 px wide, brings its own background and follows the reader's dark or light
scheme. Two colours of wire carry the one rule that matters: what belongs to this product, and what
runs past it from the device straight to the operator.
"""

from __future__ import annotations

from html import escape

WIDTH = 800
_STYLE = """
svg{--bg:#fff;--ink:#1b2230;--soft:#566173;--panel:#f1f4f8;--edge:#aeb8c5;--own:#1d5fb4;--past:#b04a00}
@media (prefers-color-scheme:dark){svg{--bg:#12161d;--ink:#e9edf3;--soft:#a7b1bf;--panel:#1c232e;
--edge:#465264;--own:#86b9ff;--past:#ffab57}}
text{font-family:system-ui,"DejaVu Sans",sans-serif;font-size:12px;fill:var(--ink)}
.bg{fill:var(--bg)}.block{fill:var(--panel);stroke:var(--edge);stroke-width:1.5}
.title{font-size:19px;font-weight:700}.head{font-weight:700;font-size:13px}.soft{fill:var(--soft)}
.tiny{font-size:10px;fill:var(--soft)}.own{stroke:var(--own)}.past{stroke:var(--past)}
.ink{stroke:var(--ink)}path,line{fill:none;stroke-width:2;stroke-linecap:round}
.past{stroke-width:3}
.link{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:3 3}
.dot{fill:var(--ink)}.own-text{fill:var(--own)}.past-text{fill:var(--past)}
"""


class Pen:
    """Collects the pieces of one picture; ``svg`` puts them together."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        self._pieces.append(
            f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}'
            "</text>"
        )

    def block(self, x: float, y: float, width: float, height: float, head: str = "") -> None:
        self._pieces.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            'class="block"/>'
        )
        if head:
            self.text(x + 10, y + 19, head, "head")

    def wire(self, kind: str, *points: tuple[float, float]) -> None:
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        self._pieces.append(f'<path d="{path}" class="{kind}"/>')

    def dot(self, x: float, y: float) -> None:
        self._pieces.append(f'<circle cx="{x:g}" cy="{y:g}" r="3" class="dot"/>')

    def terminal(self, x: float, y: float) -> None:
        self._pieces.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="3.5" class="bg ink" style="stroke-width:1.5"/>'
        )

    def contact(self, x: float, y: float, rests: str, kind: str) -> None:
        """28 px wide, leads at (x, y) and (x + 28, y); ``rests`` open or closed."""
        self.wire(kind, (x, y), (x + 4, y))
        self.wire(kind, (x + 4, y), (x + 24, y - 8))
        self.wire(kind, (x + 24, y), (x + 28, y))
        if rests == "closed":
            self.wire(kind, (x + 24, y), (x + 24, y - 9))

    def resistor(self, x: float, y: float, length: float) -> None:
        """Upright, from (x, y) down."""
        third = length / 4
        self.wire("ink", (x, y), (x, y + third))
        self._pieces.append(
            f'<rect x="{x - 5:g}" y="{y + third:g}" width="10" height="{2 * third:g}" '
            'class="bg ink" style="stroke-width:2"/>'
        )
        self.wire("ink", (x, y + 3 * third), (x, y + length))

    def earth(self, x: float, y: float) -> None:
        for half, down in ((8, 0), (5, 4), (2, 8)):
            self.wire("ink", (x - half, y + down), (x + half, y + down))

    def coil(self, x: float, y: float) -> None:
        """A relay's coil, 26 x 16 px, leads at its left and right middle."""
        self._pieces.append(
            f'<rect x="{x:g}" y="{y - 8:g}" width="26" height="16" class="bg ink" '
            'style="stroke-width:2"/>'
        )
        self.wire("ink", (x + 8, y + 8), (x + 18, y - 8))

    def svg(self, title: str, sentence: str, height: float) -> str:
        pieces = "\n".join(self._pieces)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" '
            f'viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="t d">\n'
            f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(sentence)}</desc>\n'
            f"<style>{_STYLE}</style>\n"
            f'<rect width="{WIDTH}" height="{height:g}" class="bg"/>\n{pieces}\n</svg>\n'
        )
