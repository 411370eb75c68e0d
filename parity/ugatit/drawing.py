"""Faces drawn for the demo, so that it needs no picture of anybody."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from parity.numbers.noise import generator


def draw(domain: str, number: int, seed: int = 0, size: int = 512) -> Image.Image:
    """A face, drawn: shaded and soft like a photograph in domain A, flat with large eyes and outlines in domain B."""
    rng = generator(seed, "drawing", domain, number)
    return _Face(rng, number, size, flat=domain == "B").drawn()


class _Face:
    """Everything is placed in units of the picture's side, so that any size gives the same picture."""

    SKIN = ((255, 224, 196), (241, 194, 152), (198, 134, 92), (141, 85, 54))
    HAIR = {False: ((44, 30, 24), (96, 62, 36), (170, 120, 62), (120, 120, 124)),
            True: ((235, 120, 160), (92, 150, 230), (120, 200, 170), (245, 205, 95))}
    BACK = ((126, 178, 221), (246, 189, 150), (160, 200, 160), (190, 170, 220), (240, 214, 140))

    def __init__(self, rng: np.random.Generator, number: int, size: int, flat: bool) -> None:
        self.rng, self.size, self.flat = rng, size, flat
        self.image = Image.new("RGB", (size, size))
        self.pen = ImageDraw.Draw(self.image)
        hair = self.HAIR[flat]
        self.skin = self.SKIN[number % (2 if flat else len(self.SKIN))]
        self.hair = hair[(number + 1) % len(hair)]
        self.back = self.BACK[(2 * number + flat) % len(self.BACK)]
        self.line = max(2, size // 110) if flat else 0

    def ellipse(self, x: float, y: float, w: float, h: float, colour: tuple[int, ...], line: bool = True) -> None:
        s = self.size
        box = [(x - w / 2) * s, (y - h / 2) * s, (x + w / 2) * s, (y + h / 2) * s]
        outline = (40, 30, 45) if self.line and line else None
        self.pen.ellipse(box, fill=colour, outline=outline, width=self.line if outline else 0)

    def drawn(self) -> Image.Image:
        self.background()
        cx = 0.5 + self.rng.uniform(-0.03, 0.03)
        long = self.rng.random() < 0.6
        self.ellipse(cx, 0.50 if long else 0.42, 0.64, 0.84 if long else 0.62, self.hair)
        self.ellipse(cx, 1.04, 0.86, 0.46, self.BACK[self.rng.integers(len(self.BACK))])
        self.ellipse(cx, 0.80, 0.20, 0.26, _shade(self.skin, 0.86), line=False)
        self.ellipse(cx, 0.52, 0.46, 0.58, self.skin)
        self.fringe(cx)
        self.features(cx)
        return self.image if self.flat else self.photographed()

    def background(self) -> None:
        s = self.size
        for y in range(s):
            self.pen.line([(0, y), (s, y)], fill=_shade(self.back, 1.12 - 0.42 * y / s))
        for _ in range(7):
            x, y, r = self.rng.uniform(0, 1), self.rng.uniform(0, 0.7), self.rng.uniform(0.04, 0.16)
            self.ellipse(x, y, r, r, _shade(self.back, self.rng.uniform(0.8, 1.25)), line=False)

    def fringe(self, cx: float) -> None:
        s = self.size
        for k in range(6):
            x = cx - 0.165 + 0.066 * k
            tip = 0.335 + 0.05 * self.rng.random()
            self.pen.polygon([((x - 0.06) * s, 0.24 * s), ((x + 0.06) * s, 0.24 * s), (x * s, tip * s)], fill=self.hair)
        self.ellipse(cx, 0.235, 0.47, 0.15, self.hair, line=False)

    def features(self, cx: float) -> None:
        s, dark = self.size, (45, 32, 38)
        wide, tall = (0.115, 0.135) if self.flat else (0.085, 0.045)
        iris = self.HAIR[True][self.rng.integers(4)] if self.flat else _shade(self.hair, 0.9)
        for side in (-1, 1):
            x, y = cx + side * 0.105, 0.50
            self.ellipse(x, y, wide, tall, (252, 252, 252))
            self.ellipse(x, y + 0.004, wide * 0.62 if self.flat else tall * 1.05, tall * 0.9, iris, line=False)
            self.ellipse(x, y + 0.004, tall * 0.42, tall * 0.55, dark, line=False)
            self.ellipse(x + 0.014, y - tall * 0.2, tall * 0.24, tall * 0.24, (255, 255, 255), line=False)
            brow = y - tall / 2 - 0.035
            self.pen.line([((x - wide / 2) * s, (brow - 0.005 * side) * s), ((x + wide / 2) * s, (brow + 0.005 * side) * s)],
                          fill=_shade(self.hair, 0.7), width=max(2, s // 60))
            blush = tuple((c + d) // 2 for c, d in zip(self.skin, (240, 120, 120), strict=True))
            self.ellipse(x + side * 0.035, 0.615, 0.085, 0.045, blush if self.flat else _shade(self.skin, 0.97), line=False)
        self.ellipse(cx, 0.60, 0.045, 0.03, _shade(self.skin, 0.86), line=False)
        smile = [(cx - 0.075) * s, 0.625 * s, (cx + 0.075) * s, 0.715 * s]
        self.pen.chord(smile, 10, 170, fill=(188, 72, 76), outline=dark if self.flat else None, width=self.line or 1)

    def photographed(self) -> Image.Image:
        """Light from one side, soft edges and fine grain."""
        s = self.size
        soft = np.asarray(self.image.filter(ImageFilter.GaussianBlur(s / 170)), dtype=np.float64)
        y, x = np.mgrid[0:s, 0:s] / s
        side = self.rng.choice((-1, 1))
        light = 1.06 + 0.30 * side * (x - 0.5) - 0.25 * (y - 0.4)
        grain = self.rng.normal(0, 3.0, (s, s, 1))
        return Image.fromarray(np.clip(soft * light[..., None] + grain, 0, 255).astype(np.uint8))


def _shade(colour: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(min(255, round(c * factor)) for c in colour)
