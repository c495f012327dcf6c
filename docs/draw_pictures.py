# ruff: noqa: INP001, PLR0917, PLR2004 -- a script, not a package; a drawing is made of numbers
"""Draws the sample site's pictures; run it only when a picture shall change.

It needs Pillow, which the program does not, so give it an environment of its own:

    python3 -m venv /tmp/draw && /tmp/draw/bin/pip install pillow
    /tmp/draw/bin/python docs/draw_pictures.py digest/demo/content/pictures

Every picture is 1200 x 675 pixels and at most 40,000 bytes. Shapes are given in those pixels and
drawn twice as large, so that edges come out smooth.
"""

from __future__ import annotations

import io
import math
import random
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

WIDE, HIGH, SCALE, MOST_BYTES = 1200, 675, 2, 40_000

Point = tuple[float, float]
Colour = tuple[int, int, int]


def colour(text: str) -> Colour:
    """Turn `rrggbb` into three numbers."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(one: Colour, two: Colour, share: float) -> Colour:
    """Turn two colours into the one that lies `share` of the way to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """The colours of one time of day."""

    top: Colour
    bottom: Colour
    ink: Colour
    main: Colour
    accent: Colour
    pale: Colour
    soft: Colour
    glow: Colour


DAY = Mood(
    top=colour("bfdcd9"),
    bottom=colour("f8ecd7"),
    ink=colour("12363f"),
    main=colour("2c7a7b"),
    accent=colour("cc6f3a"),
    pale=colour("fff8ea"),
    soft=colour("8fbdb6"),
    glow=colour("f6c667"),
)
DUSK = colour("6d5a76")
EVENING = Mood(
    top=colour("123542"),
    bottom=colour("eba66c"),
    ink=colour("0b2129"),
    main=colour("1f6468"),
    accent=colour("e58a4e"),
    pale=colour("fbe6c6"),
    soft=colour("45747a"),
    glow=colour("ffd27a"),
)


class Sheet:
    """A picture that is being drawn in one mood."""

    def __init__(self, mood: Mood) -> None:
        self.mood = mood
        self.dice = random.Random(7)  # noqa: S311 -- where stars stand is no secret
        self.image = Image.new("RGB", (WIDE * SCALE, HIGH * SCALE), mood.top)
        self.draw = ImageDraw.Draw(self.image)

    def sky(self, top: Colour, bottom: Colour) -> None:
        """Fill the sheet from top to bottom."""
        middle = mix(top, bottom, 0.5)
        if (top, bottom) == (EVENING.top, EVENING.bottom):
            middle = DUSK  # half-way between petrol and copper lies mud
        rows = Image.new("RGB", (1, HIGH * SCALE))
        for y in range(HIGH * SCALE):
            share = 2 * y / (HIGH * SCALE)
            low = mix(top, middle, share) if share < 1 else mix(middle, bottom, share - 1)
            rows.putpixel((0, y), low)
        self.image.paste(rows.resize(self.image.size))

    def box(self, x: float, y: float, wide: float, high: float, fill: Colour, r: float = 0) -> None:
        """Draw a rectangle with rounded corners."""
        corners = [x * SCALE, y * SCALE, (x + wide) * SCALE, (y + high) * SCALE]
        self.draw.rounded_rectangle(corners, r * SCALE, fill)

    def disc(self, x: float, y: float, r: float, fill: Colour) -> None:
        """Draw a filled circle."""
        self.oval(x, y, r, r, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Draw a filled ellipse."""
        self.draw.ellipse([v * SCALE for v in (x - rx, y - ry, x + rx, y + ry)], fill)

    def ring(self, x: float, y: float, rx: float, ry: float, line: Colour, wide: float) -> None:
        """Draw the outline of an ellipse."""
        edges = [v * SCALE for v in (x - rx, y - ry, x + rx, y + ry)]
        self.draw.ellipse(edges, outline=line, width=round(wide * SCALE))

    def arc(self, x: float, y: float, r: float, turn: Point, line: Colour, wide: float) -> None:
        """Draw a part of a circle, from one angle to another in degrees."""
        edges = [v * SCALE for v in (x - r, y - r, x + r, y + r)]
        self.draw.arc(edges, *turn, fill=line, width=round(wide * SCALE))

    def shape(self, points: Iterable[Point], fill: Colour) -> None:
        """Draw a filled polygon."""
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def stroke(self, points: Sequence[Point], line: Colour, wide: float) -> None:
        """Draw a line with round ends and corners."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(scaled, line, round(wide * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, wide / 2, line)

    def shine(self, x: float, y: float, r: float, light: Colour, strength: int = 200) -> None:
        """Lay a soft light over what is drawn."""
        mask = Image.new("L", (WIDE // 2, HIGH // 2))
        spot = [v / 2 for v in (x - r * 0.6, y - r * 0.6, x + r * 0.6, y + r * 0.6)]
        ImageDraw.Draw(mask).ellipse(spot, strength)
        mask = mask.filter(ImageFilter.GaussianBlur(r / 5)).resize(self.image.size)
        self.image.paste(Image.new("RGB", self.image.size, light), mask=mask)

    def hills(self, y: float, height: float, fill: Colour, phase: float) -> None:
        """Draw a rolling horizon."""
        edge = [
            (x, y + height * math.sin(x / 210 + phase) + height * 0.5 * math.sin(x / 97 + phase))
            for x in range(-10, WIDE + 20, 10)
        ]
        self.shape([(-10, HIGH), *edge, (WIDE + 10, HIGH)], fill)

    def save(self, path: Path) -> None:
        """Write the sheet as JPEG, as fine as the limit allows."""
        small = self.image.resize((WIDE, HIGH), Image.Resampling.LANCZOS)
        for quality in range(86, 40, -4):
            target = io.BytesIO()
            small.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
            if target.tell() <= MOST_BYTES:
                path.write_bytes(target.getvalue())
                return
        raise SystemExit(f"{path.name} does not fit into {MOST_BYTES} bytes")


def arm(s: Sheet) -> None:
    """Draw a robot arm that lifts a box from a belt."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(640, 330, 235, mix(m.bottom, m.glow, 0.55))
    s.box(0, 560, WIDE, 115, mix(m.ink, m.main, 0.35))
    s.box(0, 560, WIDE, 8, mix(m.ink, m.main, 0.7))
    for x in range(660, 1260, 84):
        s.disc(x, 548, 21, m.ink)
        s.disc(x, 548, 8, m.soft)
    s.box(630, 506, 600, 22, m.ink, 11)
    for x, size, fill in ((1010, 96, m.accent), (1120, 74, m.main)):
        s.box(x, 506 - size, size, size, fill, 6)
        s.box(x + size * 0.38, 506 - size, size * 0.24, size * 0.3, m.pale)
    s.shape([(290, 560), (330, 478), (470, 478), (510, 560)], m.ink)
    s.box(335, 450, 130, 46, m.main, 12)
    joints: list[Point] = [(400, 440), (490, 205), (770, 150), (850, 268)]
    for wide, fill in ((72, m.accent), (20, mix(m.accent, m.pale, 0.35))):
        s.stroke(joints[:3], fill, wide)
    s.stroke(joints[2:], m.ink, 38)
    for (x, y), r in zip(joints[:3], (56, 50, 42), strict=True):
        s.disc(x, y, r, m.ink)
        s.disc(x, y, r * 0.55, m.pale)
        s.disc(x, y, r * 0.22, m.accent)
    s.box(800, 262, 100, 26, m.ink, 10)
    s.stroke([(812, 282), (800, 330), (808, 356)], m.ink, 16)
    s.stroke([(888, 282), (900, 330), (892, 356)], m.ink, 16)
    s.box(812, 318, 78, 78, m.main, 6)
    s.box(840, 318, 22, 26, m.pale)


def chip(s: Sheet) -> None:
    """Draw a chip and the traces that lead to it."""
    m = s.mood
    night = m is EVENING
    base = mix(m.ink, m.main, 0.25) if night else mix(m.main, m.ink, 0.25)
    s.sky(mix(base, m.ink, 0.35), base)
    trace = mix(base, m.accent, 0.8) if night else mix(base, m.soft, 0.75)
    for side in (-1, 1):
        for i in range(11):
            y = 337 + (i - 5) * 28
            bend = 600 + side * (215 + 26 * abs(i - 5))
            far = y + (i - 5) * 22
            most = abs(bend - 600) + abs(far - y)
            end = 600 + side * max(most + 30, 330 + 40 * ((i * 5) % 7))
            s.stroke([(600, y), (bend, y), (bend + side * abs(far - y), far), (end, far)], trace, 7)
            s.disc(end, far, 13, trace)
            s.disc(end, far, 6, base)
    for i in range(9):
        x = 600 + (i - 4) * 30
        for side in (-1, 1):
            end_y = 337 + side * (235 + 22 * ((i * 3) % 4))
            s.stroke([(x, 337), (x, end_y)], trace, 7)
            s.disc(x, end_y, 11, trace)
    s.shine(600, 337, 330, m.accent if night else m.glow, 120)
    s.box(428, 165, 344, 344, m.ink, 26)
    s.box(440, 177, 320, 320, mix(m.ink, m.main, 0.3), 18)
    for row in range(4):
        for column in range(4):
            fill = m.accent if (row * 3 + column * 5) % 7 < 2 else mix(m.ink, m.main, 0.75)
            s.box(470 + column * 66, 207 + row * 66, 58, 58, fill, 8)
    s.box(536, 273, 124, 124, m.glow, 12)
    s.box(556, 293, 84, 84, mix(m.glow, m.accent, 0.6), 8)
    s.disc(466, 470, 7, m.pale)


def net(s: Sheet) -> None:
    """Draw a network of layers with one path lit."""
    m = s.mood
    s.sky(m.ink, mix(m.ink, m.main, 0.75))
    counts = (4, 6, 7, 6, 3)
    layers = [
        [(170 + 215 * i, 337 + (k - (n - 1) / 2) * 88) for k in range(n)]
        for i, n in enumerate(counts)
    ]
    for left, right in pairwise(layers):
        for a in left:
            for b in right:
                s.stroke([a, b], mix(m.ink, m.soft, 0.32 + 0.2 * s.dice.random()), 2)
    lit = [layers[0][1], layers[1][2], layers[2][2], layers[3][3], layers[4][1]]
    other = [layers[0][2], layers[1][4], layers[2][2]]
    s.stroke(other, m.accent, 5)
    s.stroke(lit, m.glow, 8)
    for i, layer in enumerate(layers):
        for point in layer:
            s.disc(*point, 25, mix(m.ink, m.main, 0.5))
            s.disc(*point, 19, (m.soft, m.main, m.soft, m.main, m.accent)[i])
    for point in lit:
        s.shine(*point, 90, m.glow, 150)
        s.disc(*point, 24, m.glow)
        s.disc(*point, 12, m.pale)


def drone(s: Sheet) -> None:
    """Draw a drone over a power line."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(905, 255, 92, m.glow)
    s.hills(470, 32, mix(m.bottom, m.soft, 0.7), 0.4)
    s.hills(535, 26, mix(m.soft, m.main, 0.55), 2.1)
    s.hills(600, 20, m.main, 4.4)
    for x, y, k in ((150, 610, 1.0), (560, 560, 0.72), (830, 532, 0.5), (1010, 518, 0.36)):
        pylon(s, x, y, k)
    for lift, reach in ((255, 92), (315, 66)):
        for side in (-1, 1):
            points = [(150 + side * reach, 610 - lift)]
            points += [(560 + side * reach * 0.72, 560 - lift * 0.72)]
            points += [(830 + side * reach * 0.5, 532 - lift * 0.5)]
            points += [(1010 + side * reach * 0.36, 518 - lift * 0.36)]
            s.stroke([(-60, 560 - lift), *points], m.ink, 2.5)
    x, y = 610, 190
    s.stroke([(x - 150, y - 14), (x + 150, y - 14)], m.ink, 14)
    s.box(x - 62, y - 34, 124, 58, m.accent, 26)
    s.box(x - 40, y - 22, 80, 14, mix(m.accent, m.pale, 0.5), 7)
    for side in (-1, 1):
        s.box(x + side * 150 - 9, y - 46, 18, 36, m.ink, 6)
        s.oval(x + side * 150, y - 50, 92, 8, mix(m.top, m.ink, 0.55))
        s.stroke([(x + side * 46, y + 16), (x + side * 66, y + 62)], m.ink, 8)
    s.disc(x, y + 34, 24, m.ink)
    s.disc(x, y + 36, 12, m.soft)
    s.disc(x + 4, y + 32, 4, m.pale)


def pylon(s: Sheet, x: float, y: float, k: float) -> None:
    """Draw a pylon whose foot stands at a point."""
    ink, wide = s.mood.ink, 6 * k + 1
    s.stroke([(x - 58 * k, y), (x - 14 * k, y - 235 * k), (x, y - 345 * k)], ink, wide)
    s.stroke([(x + 58 * k, y), (x + 14 * k, y - 235 * k), (x, y - 345 * k)], ink, wide)
    for low, high in ((0, 80), (80, 155), (155, 225)):
        a, b = 58 - low * 0.19, 58 - high * 0.19
        s.stroke([(x - a * k, y - low * k), (x + b * k, y - high * k)], ink, wide * 0.6)
        s.stroke([(x + a * k, y - low * k), (x - b * k, y - high * k)], ink, wide * 0.6)
    for lift, reach in ((255, 92), (315, 66)):
        s.stroke([(x - reach * k, y - lift * k), (x + reach * k, y - lift * k)], ink, wide)


def factory(s: Sheet) -> None:
    """Draw a works with a saw-tooth roof and sound in the air."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(250, 215, 86, m.glow)
    s.hills(520, 18, mix(m.bottom, m.soft, 0.6), 1.2)
    for x, y, high in ((838, 150, 420), (940, 205, 370)):
        s.shape([(x, y), (x + 52, y), (x + 64, y + high), (x - 12, y + high)], m.accent)
        s.box(x - 3, y + 26, 58, 20, m.pale)
        for i in range(4):
            puff = mix(m.top, m.pale, 0.75 - 0.12 * i)
            s.disc(x + 26 + 44 * i + 8 * i * i, y - 28 - 20 * i, 26 + 8 * i, puff)
    s.box(150, 400, 900, 190, m.main)
    for i in range(5):
        x = 150 + 140 * i
        s.shape([(x, 400), (x, 318), (x + 140, 400)], mix(m.main, m.ink, 0.45))
        s.shape([(x + 12, 396), (x + 12, 342), (x + 40, 358), (x + 40, 396)], m.glow)
    s.box(780, 300, 270, 290, mix(m.main, m.ink, 0.55))
    for row in range(3):
        for column in range(4):
            fill = m.glow if (row + 2 * column) % 3 else mix(m.main, m.ink, 0.2)
            s.box(806 + 58 * column, 330 + 58 * row, 40, 36, fill, 4)
    for i in range(8):
        s.box(186 + 70 * i, 446, 44, 62, mix(m.main, m.pale, 0.35 if i % 3 else 0.7), 4)
    s.box(860, 520, 80, 70, m.ink, 4)
    s.box(0, 588, WIDE, 87, m.ink)
    bars = [abs(math.sin(i * 0.7) * math.cos(i * 0.23)) for i in range(44)]
    for i, tall in enumerate(bars):
        fill = m.accent if 14 < i < 22 else m.soft
        s.box(84 + 24 * i, 634 - 26 * tall, 10, 52 * tall + 4, fill, 5)


def satellite(s: Sheet) -> None:
    """Draw a satellite that sees a small fire."""
    m = s.mood
    s.sky(mix(m.ink, (0, 0, 0), 0.45), mix(m.ink, m.main, 0.4))
    for _ in range(110):
        x, y, r = s.dice.uniform(0, WIDE), s.dice.uniform(0, 480), s.dice.uniform(0.8, 2.6)
        s.disc(x, y, r, mix(m.ink, m.pale, s.dice.uniform(0.4, 1)))
    s.shine(600, 1180, 860, m.soft, 150)
    s.disc(600, 1290, 800, m.main)
    s.disc(600, 1310, 800, mix(m.main, m.ink, 0.25))
    for x, y, rx, ry in ((330, 600, 150, 30), (760, 572, 190, 34), (930, 648, 120, 20)):
        s.oval(x, y, rx, ry, mix(m.main, m.soft, 0.35))
    s.shape([(640, 262), (486, 566), (596, 560)], mix(m.ink, m.glow, 0.28))
    s.shine(540, 562, 130, m.accent, 220)
    s.shape([(516, 572), (528, 540), (536, 554), (546, 522), (562, 556), (566, 574)], m.glow)
    for side in (-1, 1):
        s.stroke([(640, 210), (640 + side * 130, 210)], m.soft, 8)
        for i in range(3):
            x = 640 + side * (118 + 82 * i) - (0 if side > 0 else 74)
            s.box(x, 152, 74, 116, m.main, 5)
            for line in range(1, 4):
                s.box(x, 152 + 29 * line, 74, 3, m.soft)
            s.box(x + 35, 152, 3, 116, m.soft)
    s.box(586, 146, 108, 132, m.pale, 10)
    s.box(586, 196, 108, 30, m.accent)
    s.disc(640, 278, 26, m.ink)
    s.disc(640, 282, 14, m.soft)
    s.stroke([(640, 146), (640, 96)], m.soft, 6)
    s.arc(640, 90, 42, (20, 160), m.pale, 9)
    s.disc(640, 92, 8, m.accent)


def battery(s: Sheet) -> None:
    """Draw a field of storage containers with wind turbines behind it."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(960, 210, 80, m.glow)
    s.hills(440, 24, mix(m.bottom, m.soft, 0.6), 0.9)
    for x, y, k, turn in ((210, 470, 1.0, 12), (470, 455, 0.72, 55), (800, 460, 0.85, 95)):
        turbine(s, x, y, k, turn)
    s.hills(505, 14, mix(m.soft, m.main, 0.5), 3.0)
    s.box(0, 560, WIDE, 115, mix(m.main, m.ink, 0.5))
    for i, charge in enumerate((4, 3, 4, 2)):
        x = 70 + 272 * i
        s.box(x + 8, 590, 244, 14, mix(m.ink, m.main, 0.15), 7)
        s.box(x, 430, 244, 162, m.ink, 12)
        s.box(x + 8, 438, 228, 146, mix(m.ink, m.main, 0.4), 8)
        for cell in range(4):
            fill = (m.glow if charge == 4 else m.accent) if cell < charge else m.ink
            s.box(x + 26 + 50 * cell, 470, 40, 82, fill, 6)
        s.box(x + 92, 416, 60, 14, m.ink, 4)


def turbine(s: Sheet, x: float, y: float, k: float, turn: float) -> None:
    """Draw a wind turbine whose foot stands at a point."""
    hub_y = y - 300 * k
    pale = s.mood.pale
    s.shape([(x - 4 * k, hub_y), (x + 4 * k, hub_y), (x + 11 * k, y), (x - 11 * k, y)], pale)
    for blade in range(3):
        angle = math.radians(turn + 120 * blade)
        dx, dy = math.cos(angle) * k, math.sin(angle) * k
        tip = (x + 150 * dx, hub_y + 150 * dy)
        near = (x + 40 * dx - 13 * dy, hub_y + 40 * dy + 13 * dx)
        s.shape([(x, hub_y), near, tip, (x + 6 * dy, hub_y - 6 * dx)], pale)
    s.disc(x, hub_y, 11 * k, s.mood.accent)


def clinic(s: Sheet) -> None:
    """Draw a hospital and a heartbeat."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(220, 180, 74, mix(m.bottom, m.glow, 0.8))
    for x, y, k in ((880, 130, 1.0), (1000, 168, 0.7), (110, 268, 0.6)):
        for dx, r in ((-60, 30), (0, 46), (60, 32)):
            s.disc(x + dx * k, y, r * k, mix(m.top, m.pale, 0.8))
    s.hills(520, 16, mix(m.bottom, m.soft, 0.65), 0.2)
    s.box(250, 300, 220, 290, mix(m.main, m.soft, 0.35))
    s.box(730, 270, 240, 320, mix(m.main, m.soft, 0.2))
    s.box(430, 190, 340, 400, m.pale, 10)
    s.box(430, 190, 340, 24, m.main, 6)
    for row in range(4):
        for column in range(3):
            lit = (row * 2 + column) % 4 == 1
            fill = m.glow if lit else mix(m.main, m.ink, 0.2)
            s.box(272 + 52 * column, 330 + 58 * row, 36, 34, fill, 4)
            s.box(790 + 58 * column, 300 + 62 * row, 40, 38, m.glow if not lit else m.ink, 4)
    for column in (0, 1, 4, 5):
        for row in range(4):
            s.box(452 + 52 * column, 240 + 66 * row, 34, 44, mix(m.main, m.soft, 0.6), 4)
    s.disc(600, 315, 66, m.accent)
    s.box(584, 273, 32, 84, m.pale, 4)
    s.box(558, 299, 84, 32, m.pale, 4)
    s.box(552, 500, 96, 90, m.main, 6)
    s.box(597, 500, 6, 90, m.pale)
    s.box(0, 588, WIDE, 87, m.ink)
    for x, r in ((180, 46), (1020, 54), (1092, 38)):
        s.box(x - 6, 540, 12, 50, m.ink)
        s.disc(x, 522, r, m.main)
        s.disc(x - r * 0.25, 522 - r * 0.3, r * 0.5, mix(m.main, m.soft, 0.35))
    beat: list[Point] = [(0, 634), (380, 634), (410, 616), (438, 634), (470, 634), (492, 650)]
    beat += [(522, 600), (552, 662), (574, 634), (640, 634), (668, 614), (700, 634), (WIDE, 634)]
    s.stroke(beat, m.glow, 5)


def town(s: Sheet) -> None:
    """Draw a street of houses with a traffic light."""
    m = s.mood
    night = m is EVENING
    s.sky(m.top, m.bottom)
    s.disc(300, 180, 66 if night else 90, m.pale if night else m.glow)
    far = mix(m.bottom, m.soft, 0.55)
    for i in range(15):
        high = 120 + (i * 67) % 150
        s.box(-20 + 84 * i, 560 - high, 76, high, far)
    houses = ((40, 250, 150), (200, 330, 130), (340, 215, 170), (660, 300, 150), (820, 400, 140))
    for i, (x, high, wide) in enumerate((*houses, (970, 260, 190))):
        wall = (m.main, mix(m.main, m.ink, 0.5), m.accent)[i % 3]
        house(s, (x, 580 - high), (wide, high), wall)
    s.box(0, 576, WIDE, 99, m.ink)
    for x in range(30, WIDE, 150):
        s.box(x, 626, 84, 9, mix(m.ink, m.pale, 0.7), 4)
    s.box(574, 380, 14, 214, m.ink)
    s.box(544, 196, 74, 196, m.ink, 24)
    dim = mix(m.ink, m.main, 0.45)
    for y, fill in ((230, dim), (292, dim), (354, colour("6fd08c"))):
        s.disc(581, y, 23, fill)
    s.shine(581, 354, 100, colour("8be0a4"), 120)
    s.box(672, 508, 190, 84, m.pale, 14)
    for i in range(4):
        s.box(688 + 42 * i, 522, 34, 32, m.main, 4)
    for x in (716, 818):
        s.disc(x, 594, 20, m.ink)
        s.disc(x, 594, 8, m.soft)


def house(s: Sheet, corner: Point, size: Point, wall: Colour) -> None:
    """Draw a house with windows of which some are lit."""
    (x, y), (wide, high) = corner, size
    m = s.mood
    s.box(x, y, wide, high, wall)
    s.box(x - 6, y - 10, wide + 12, 14, mix(wall, m.ink, 0.5), 4)
    columns = int(wide // 44)
    gap = (wide - columns * 26) / (columns + 1)
    for row in range(int(high // 58)):
        for column in range(columns):
            lit = s.dice.random() < (0.6 if m is EVENING else 0.3)
            fill = m.glow if lit else mix(wall, m.ink, 0.45)
            s.box(x + gap + column * (26 + gap), y + 24 + row * 56, 26, 32, fill, 3)


def laboratory(s: Sheet) -> None:
    """Draw flasks on a bench under a pipette."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(600, 300, 250, mix(m.bottom, m.pale, 0.6 if m is DAY else 0.25))
    s.box(0, 540, WIDE, 135, m.ink)
    s.box(0, 540, WIDE, 10, m.main)
    glass = mix(m.soft, m.pale, 0.45 if m is DAY else 0.3)
    neck: list[Point] = [(516, 230), (684, 230), (684, 350), (790, 524)]
    s.shape([*neck, (770, 542), (430, 542), (410, 524), (516, 350)], glass)
    s.shape([(468, 430), (732, 430), (790, 524), (770, 542), (430, 542), (410, 524)], m.accent)
    s.oval(600, 430, 132, 15, mix(m.accent, m.glow, 0.5))
    s.box(500, 214, 200, 24, m.main, 12)
    for x, y, r in ((560, 480, 16), (620, 460, 10), (668, 504, 20), (600, 390, 12), (632, 330, 9)):
        s.disc(x, y, r, mix(m.accent, m.pale, 0.6))
    for x, fill, level in ((170, m.main, 0.55), (250, m.glow, 0.75), (330, m.accent, 0.35)):
        s.box(x, 300, 48, 240, glass, 24)
        s.box(x + 6, 534 - 220 * level, 36, 220 * level, fill, 16)
        s.box(x - 6, 292, 60, 16, m.main, 8)
    s.box(146, 400, 256, 20, m.ink, 6)
    s.disc(960, 450, 92, glass)
    s.box(930, 300, 60, 90, glass)
    s.box(918, 290, 84, 18, m.main, 9)
    s.draw.chord([v * SCALE for v in (876, 366, 1044, 534)], 0, 180, fill=m.main)
    s.oval(960, 450, 84, 10, m.soft)
    s.box(0, 60, WIDE, 26, m.ink)
    s.box(552, 48, 96, 66, m.main, 10)
    s.box(588, 110, 24, 56, m.ink)
    s.shape([(588, 164), (612, 164), (603, 200), (597, 200)], m.accent)


def parliament(s: Sheet) -> None:
    """Draw a house of columns under a dome."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(600, 275, 225, mix(m.bottom, m.glow, 0.5))
    stone = m.pale if m is DAY else mix(m.pale, m.main, 0.25)
    shade = mix(stone, m.main, 0.4)
    s.hills(520, 14, mix(m.bottom, m.soft, 0.6), 1.7)
    s.box(180, 350, 840, 220, shade)
    for x in (*range(206, 360, 54), *range(840, 990, 54)):
        s.box(x, 390, 34, 66, m.main, 17)
        s.box(x, 424, 34, 34, m.main)
        s.box(x, 488, 34, 52, m.main, 4)
    s.draw.pieslice([v * SCALE for v in (470, 128, 730, 388)], 180, 360, fill=m.main)
    for reach in (130, 84, 30):
        s.draw.arc(
            [v * SCALE for v in (600 - reach, 128, 600 + reach, 388)], 180, 360, stone, 5 * SCALE
        )
    s.box(458, 254, 284, 20, stone, 4)
    s.box(474, 274, 252, 80, shade)
    s.stroke([(600, 128), (600, 60)], m.ink, 6)
    s.shape([(603, 60), (680, 74), (603, 98)], m.accent)
    s.shape([(380, 350), (600, 262), (820, 350)], stone)
    s.shape([(440, 338), (600, 276), (760, 338)], shade)
    s.disc(600, 316, 18, m.accent)
    s.box(384, 346, 432, 26, stone)
    s.box(400, 372, 400, 180, mix(m.main, m.ink, 0.3))
    for i in range(7):
        x = 408 + 58.5 * i
        s.box(x, 372, 30, 180, stone)
        s.box(x - 6, 372, 42, 12, stone, 3)
        s.box(x - 6, 540, 42, 14, stone, 3)
    for i in range(3):
        s.box(360 - 34 * i, 552 + 16 * i, 480 + 68 * i, 17, mix(stone, m.ink, 0.1 * i))
    s.box(0, 600, WIDE, 75, m.ink)
    for i in range(31):
        fill = m.accent if i % 5 == 2 else m.main
        s.disc(60 + 36 * i, 638, 11, fill)


def curve(s: Sheet) -> None:
    """Draw bars that grow and a line above them."""
    m = s.mood
    s.sky(m.pale, m.bottom)
    for i in range(6):
        s.box(90, 120 + 82 * i, 1020, 3, mix(m.bottom, m.soft, 0.5))
    heights = (96, 132, 120, 178, 210, 196, 262, 322, 356)
    for i, high in enumerate(heights):
        fill = m.accent if i == len(heights) - 1 else mix(m.soft, m.main, i / 8)
        s.box(118 + 112 * i, 570 - high, 72, high, fill, 8)
    points = [(154 + 112 * i, 510 - high * 1.1) for i, high in enumerate(heights)]
    s.stroke(points, m.ink, 9)
    for x, y in points:
        s.disc(x, y, 16, m.ink)
        s.disc(x, y, 8, m.glow)
    s.box(90, 566, 1020, 10, m.ink, 5)
    for i in range(4):
        s.oval(228, 232 - 22 * i, 66, 20, mix(m.accent, m.ink, 0.25))
        s.oval(228, 226 - 22 * i, 66, 20, m.glow)
    s.oval(228, 160, 44, 12, mix(m.glow, m.accent, 0.5))


def speech(s: Sheet) -> None:
    """Draw two bubbles: a voice and what was written down."""
    m = s.mood
    s.sky(m.top, m.bottom)
    for x, y, r in ((110, 560, 150), (1110, 120, 190), (1010, 610, 110)):
        s.disc(x, y, r, mix(m.bottom, m.soft if m is DAY else DUSK, 0.3))
    s.box(130, 110, 580, 270, m.main, 60)
    s.shape([(230, 360), (330, 360), (200, 462)], m.main)
    for i in range(19):
        tall = 30 + 150 * abs(math.sin(i * 0.9)) * math.exp(-((i - 9) ** 2) / 60)
        fill = m.glow if 6 < i < 12 else m.pale
        s.box(186 + 25.5 * i, 245 - tall / 2, 13, tall, fill, 6)
    s.box(500, 300, 560, 250, m.pale, 60)
    s.shape([(900, 530), (1000, 530), (1040, 626)], m.pale)
    for row, words in enumerate(((120, 90, 170), (200, 60, 110), (90, 150))):
        x = 560.0
        for i, wide in enumerate(words):
            marked = (row, i) == (1, 0)
            s.box(x, 362 + 52 * row, wide, 24, m.accent if marked else m.soft, 12)
            x += wide + 22


def field(s: Sheet) -> None:
    """Draw rows of plants that run to the horizon and a small robot."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(840, 250, 96, m.glow)
    s.hills(332, 20, mix(m.bottom, m.soft, 0.7), 0.6)
    earth = mix(m.accent, m.ink, 0.6)
    s.box(0, 350, WIDE, 325, earth)
    for i in range(-9, 10):
        near, far = 600 + i * 170, 640 + i * 17
        s.shape([(far - 2, 350), (far + 2, 350), (near + 42, 675), (near - 42, 675)], m.main)
        for step in range(9):
            k = (step / 9) ** 2.1
            x, y, r = far + (near - far) * k, 350 + 325 * k, 3 + 30 * k
            s.disc(x - r * 0.5, y, r, mix(m.main, m.soft, 0.45))
            s.disc(x + r * 0.5, y - r * 0.3, r * 0.8, mix(m.main, m.soft, 0.25))
    for x in (388, 572):
        s.disc(x, 545, 54, m.ink)
        s.disc(x, 545, 36, earth)
        for spoke in range(6):
            angle = math.radians(60 * spoke + 15)
            s.stroke([(x, 545), (x + 44 * math.cos(angle), 545 + 44 * math.sin(angle))], m.ink, 5)
    s.box(356, 418, 250, 88, m.accent, 26)
    s.box(380, 402, 202, 24, m.ink, 8)
    for i in range(5):
        s.box(386 + 40 * i, 406, 30, 16, m.main, 3)
    s.disc(568, 462, 20, m.pale)
    s.disc(572, 462, 10, m.ink)
    s.stroke([(410, 402), (410, 336)], m.ink, 6)
    s.disc(410, 330, 11, m.glow)


def servers(s: Sheet) -> None:
    """Draw an aisle of server racks."""
    m = s.mood
    s.sky(m.ink, mix(m.ink, m.main, 0.7))
    s.shape([(430, 470), (770, 470), (1250, 675), (-50, 675)], mix(m.ink, m.main, 0.45))
    s.shape([(570, 470), (630, 470), (760, 675), (440, 675)], mix(m.ink, m.glow, 0.32))
    s.shine(600, 320, 260, m.pale, 190)
    for side in (-1, 1):
        for i in range(4, -1, -1):
            outer, inner = 640 / (1 + 0.36 * i), 640 / (1 + 0.36 * (i + 1))
            tall_o, tall_i = outer * 0.62, inner * 0.62
            a, b = 600 + side * outer, 600 + side * inner * 1.03
            middle = 320
            wall = mix(mix(m.ink, m.main, 0.25), m.main, i / 7)
            top, low = [(a, middle - tall_o), (b, middle - tall_i)], middle + tall_i * 0.8
            s.shape([*top, (b, low), (a, middle + tall_o * 0.8)], wall)
            for row in range(11):
                t = -0.88 + row * 0.155
                y_a, y_b = middle + tall_o * t, middle + tall_i * t
                inset = (b - a) * 0.1
                p, q = (a + inset, y_a * 0.9 + y_b * 0.1), (b - inset, y_b * 0.9 + y_a * 0.1)
                s.stroke([p, q], mix(wall, m.ink, 0.55), 9 - i)
                spot = (q[0] - (b - a) * 0.06, q[1])
                lamp = (m.glow, m.soft, m.accent, m.soft)[(row * 3 + i) % 4]
                s.disc(*spot, 5.5 - 0.7 * i, lamp)


def book(s: Sheet) -> None:
    """Draw an open book from which shapes rise."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(600, 330, 240, mix(m.bottom, m.glow, 0.55))
    s.box(0, 590, WIDE, 85, m.ink)
    s.shape([(200, 588), (600, 604), (1000, 588), (1000, 560), (200, 560)], m.accent)
    for side in (-1, 1):
        for i in range(4):
            reach, lift = 384 - 10 * i, 10 * i
            page = [
                (600 + side * reach * t, 560 - lift - 62 * math.sin(math.pi * t**0.75))
                for t in (n / 20 for n in range(21))
            ]
            paper = mix(m.pale, m.soft, 0.3 - 0.1 * i)
            s.shape([(600, 588 - lift), *page, (600 + side * reach, 584 - lift)], paper)
        for row in range(3):
            for t in range(12):
                x = 600 + side * (70 + 22 * t)
                y = 512 + 17 * row - 40 * math.sin(math.pi * ((70 + 22 * t) / 384) ** 0.75)
                s.box(x - 9, y, 18, 5, mix(m.pale, m.main, 0.55), 2)
    s.stroke([(600, 470), (600, 590)], mix(m.pale, m.ink, 0.4), 4)
    for x, y, r, fill in ((480, 330, 44, m.main), (706, 300, 56, m.accent), (600, 400, 26, m.pale)):
        s.disc(x, y, r, fill)
    s.shape([(560, 250), (640, 212), (628, 298)], m.glow)
    s.box(376, 206, 78, 78, m.accent, 14)
    s.box(780, 180, 64, 64, m.main, 32)
    s.ring(560, 150, 30, 30, m.main, 12)
    for x, y in ((440, 420), (760, 410), (660, 150), (840, 330), (350, 350)):
        s.disc(x, y, 9, m.glow if m is EVENING else m.ink)


def office(s: Sheet) -> None:
    """Draw a desk by a window."""
    m = s.mood
    s.sky(mix(m.bottom, m.pale, 0.6), m.bottom)
    s.box(120, 70, 420, 330, m.pale, 10)
    s.box(136, 86, 388, 298, m.top)
    s.disc(420, 180, 50, m.glow)
    for i, high in enumerate((90, 140, 70, 170, 110, 60)):
        s.box(136 + 64 * i, 384 - high, 58, high, mix(m.soft, m.main, 0.2 * (i % 3)))
    s.box(324, 86, 12, 298, m.pale)
    s.box(0, 540, WIDE, 135, mix(m.accent, m.ink, 0.25))
    s.box(0, 530, WIDE, 18, m.accent)
    s.box(660, 466, 60, 66, m.ink)
    s.box(610, 520, 160, 14, m.ink, 7)
    s.box(490, 210, 400, 264, m.ink, 16)
    s.box(506, 226, 368, 232, mix(m.ink, m.main, 0.5), 6)
    for row, wide in enumerate((150, 220, 110, 190, 90)):
        s.box(532, 252 + 40 * row, wide, 16, (m.soft, m.pale, m.glow)[row % 3], 8)
    s.disc(798, 316, 46, m.accent)
    s.draw.pieslice([v * SCALE for v in (752, 270, 844, 362)], -90, 40, fill=m.glow)
    s.stroke([(1030, 530), (1030, 330), (960, 240)], m.ink, 12)
    s.shape([(900, 262), (960, 196), (1016, 246), (936, 306)], m.accent)
    s.oval(1030, 532, 66, 12, m.ink)
    s.shape([(236, 450), (344, 450), (328, 534), (252, 534)], m.accent)
    for angle, long in ((-150, 120), (-120, 160), (-90, 180), (-62, 150), (-32, 116)):
        a = math.radians(angle)
        tip = (290 + long * math.cos(a), 452 + long * math.sin(a))
        left = (290 + 60 * math.cos(a - 0.4), 452 + 60 * math.sin(a - 0.4))
        right = (290 + 60 * math.cos(a + 0.4), 452 + 60 * math.sin(a + 0.4))
        s.shape([(290, 456), left, tip, right], m.main)


def quantum(s: Sheet) -> None:
    """Draw the golden storeys of a quantum computer."""
    m = s.mood
    s.sky(m.ink, mix(m.ink, m.main, 0.6))
    s.shine(600, 330, 420, m.accent, 110)
    s.box(300, 0, 600, 46, mix(m.ink, m.soft, 0.4), 8)
    storeys = ((110, 250), (220, 212), (330, 172), (430, 132), (520, 92))
    for (y, r), (low, small) in pairwise(storeys):
        for k in range(-3, 4):
            s.stroke([(600 + k * small * 0.28, y), (600 + k * small * 0.28, low)], m.accent, 6)
        for side in (-1, 1):
            x = 600 + side * r * 0.82
            for turn in range(4):
                s.arc(x, y + 34 + 15 * turn, 15, (90 * side - 90, 90 * side + 90), m.glow, 5)
    for k in range(-3, 4):
        s.stroke([(600 + k * 66, 46), (600 + k * 66, 110)], m.accent, 6)
    for y, r in storeys:
        s.oval(600, y + 16, r, r * 0.13, mix(m.accent, m.ink, 0.4))
        s.oval(600, y, r, r * 0.13, m.glow)
        s.oval(600, y - 1, r * 0.9, r * 0.1, mix(m.glow, m.accent, 0.4))
    s.box(556, 534, 88, 70, m.pale, 10)
    s.box(570, 548, 60, 42, m.main, 6)
    for angle in (0, 60, 120):
        turned = Image.new("L", s.image.size)
        edges = [v * SCALE for v in (150, 250, 350, 320)]
        ImageDraw.Draw(turned).ellipse(edges, outline=255, width=5 * SCALE)
        turned = turned.rotate(angle, center=(250 * SCALE, 285 * SCALE))
        s.image.paste(Image.new("RGB", s.image.size, m.soft), mask=turned)
    s.disc(250, 285, 15, m.glow)
    for row in range(5):
        for column in range(5):
            fill = m.glow if (row * 2 + column * 3) % 5 == 0 else mix(m.ink, m.soft, 0.6)
            s.disc(890 + 38 * column, 220 + 38 * row, 10, fill)


def harbour(s: Sheet) -> None:
    """Draw a crane, a ship and its boxes."""
    m = s.mood
    s.sky(m.top, m.bottom)
    s.disc(240, 240, 84, m.glow)
    s.box(0, 480, WIDE, 195, m.main)
    for i in range(9):
        y = 500 + 19 * i
        s.box((i * 173) % 700 - 40, y, 240 + (i * 61) % 200, 4, mix(m.main, m.soft, 0.5), 2)
    s.box(200, 500, 84, 5, m.glow, 2)
    s.box(880, 450, 320, 225, m.ink)
    fills = (m.accent, m.soft, m.pale, mix(m.main, m.ink, 0.4), m.glow)
    for row in range(4):
        for column in range(6 - (row > 1) - 2 * (row > 2)):
            fill = fills[(row * 2 + column * 3) % 5]
            x, y = 236 + 84 * column, 412 - 44 * row
            s.box(x, y, 80, 41, fill, 3)
            for rib in range(1, 5):
                s.box(x + 16 * rib - 1, y + 6, 3, 29, mix(fill, m.ink, 0.25))
    s.box(760, 320, 70, 136, m.pale, 4)
    for row in range(3):
        s.box(772, 336 + 34 * row, 46, 14, m.main, 3)
    s.box(780, 280, 24, 40, m.accent)
    s.shape([(170, 452), (866, 452), (830, 560), (240, 560)], m.ink)
    s.shape([(219, 530), (841, 530), (830, 560), (240, 560)], m.accent)
    for x in (930, 1090):
        s.stroke([(x, 452), (x, 130)], m.accent, 16)
    s.stroke([(930, 330), (1090, 330)], m.accent, 12)
    s.stroke([(930, 450), (1090, 330)], m.accent, 8)
    s.stroke([(400, 150), (1160, 150)], m.accent, 18)
    s.stroke([(1010, 60), (430, 145)], m.ink, 5)
    s.stroke([(1010, 60), (1150, 145)], m.ink, 5)
    s.stroke([(960, 150), (1010, 60), (1060, 150)], m.accent, 10)
    s.box(566, 140, 74, 30, m.ink, 5)
    for x in (580, 626):
        s.stroke([(x, 168), (x, 206)], m.ink, 3)
    s.box(562, 204, 82, 42, m.glow, 3)


SCENES: dict[str, Callable[[Sheet], None]] = {
    "roboterarm": arm,
    "chip": chip,
    "netz": net,
    "drohne": drone,
    "fabrik": factory,
    "satellit": satellite,
    "batterie": battery,
    "klinik": clinic,
    "stadt": town,
    "labor": laboratory,
    "parlament": parliament,
    "kurve": curve,
    "sprache": speech,
    "feld": field,
    "rechenzentrum": servers,
    "buch": book,
    "buero": office,
    "quanten": quantum,
    "hafen": harbour,
}
TWICE = ("roboterarm", "chip", "stadt", "labor", "parlament", "sprache", "feld", "buch")


def main() -> None:
    """Draw every scene into the folder that is given."""
    folder = Path(sys.argv[1])
    for name, scene in SCENES.items():
        moods = {"": DAY, "-abend": EVENING} if name in TWICE else {"": DAY}
        for suffix, mood in moods.items():
            sheet = Sheet(mood)
            scene(sheet)
            sheet.save(folder / f"{name}{suffix}.jpg")


if __name__ == "__main__":
    main()
