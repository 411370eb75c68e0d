"""The picture of the demo: one row a picture, both translations side by side, their difference, both attention maps."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from parity.messages import say
from parity.ugatit.pictures import to_image

COLUMNS = ("input", "PyTorch", "Paddle", "difference", "attention, PyTorch", "attention, Paddle")
PANEL, GAP, MARGIN, HEADER, FOOT, TITLE, CAPTION = 184, 8, 24, 34, 30, 64, 44
INK, SOFT, PAPER = (28, 36, 48), (91, 102, 117), (255, 255, 255)


@dataclass(frozen=True)
class Translation:
    """One picture and what both generators made of it. Pictures (3, S, S) in [-1, 1]; heat maps (1, s, s)."""

    name: str
    network: str
    input: np.ndarray
    torch: np.ndarray
    paddle: np.ndarray
    torch_heatmap: np.ndarray
    paddle_heatmap: np.ndarray

    @property
    def difference(self) -> float:
        """Of the two translations, at the worst pixel, on the scale of [-1, 1]."""
        return float(np.abs(self.torch - self.paddle).max())


def amplification(translations: Sequence[Translation]) -> float:
    """The factor 1, 2 or 5 times a power of ten at which all but the largest hundredth of the differences keep within 1."""
    usual = max(float(np.percentile(np.abs(t.torch - t.paddle), 99)) for t in translations)
    if not usual or not math.isfinite(usual):
        return 1.0
    power = 10.0 ** math.floor(math.log10(1 / usual))
    return max(step * power for step in (1, 2, 5) if step * power <= 1 / usual * (1 + 1e-9))


def caption(translations: Sequence[Translation]) -> str:
    """What the sheet shows, with the true size of the difference."""
    largest = max(translation.difference for translation in translations)
    return say("The same weights and inputs in float32. Largest difference of a pixel: {largest:.2g} on a scale from -1 to 1 "
               "(one step of an 8-bit picture is {step:.2g}); shown {factor:,.0f} times amplified.", largest=largest, step=2 / 255,
               factor=amplification(translations))


def draw(translations: Sequence[Translation]) -> bytes:
    """The sheet as a PNG."""
    factor = amplification(translations)
    width = 2 * MARGIN + len(COLUMNS) * PANEL + (len(COLUMNS) - 1) * GAP
    height = TITLE + HEADER + len(translations) * (PANEL + FOOT) + CAPTION
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 22), "One checkpoint, two frameworks", INK, _font(26))
    for column, title in enumerate(COLUMNS):
        if title == "difference":
            title = f"difference x {factor:,.0f}"
        pen.text((_left(column) + PANEL / 2, TITLE + HEADER - 8), title, INK, _fitting(pen, title, 16), anchor="ms")
    for row, translation in enumerate(translations):
        top = TITLE + HEADER + row * (PANEL + FOOT)
        difference = np.clip(np.nan_to_num(np.abs(translation.torch - translation.paddle) * factor, nan=1.0), 0, 1) * 2 - 1
        panels = [to_image(translation.input), to_image(translation.torch), to_image(translation.paddle), to_image(difference),
                  heat(translation.torch_heatmap), heat(translation.paddle_heatmap)]
        for column, panel in enumerate(panels):
            sheet.paste(panel.resize((PANEL, PANEL), Image.Resampling.BICUBIC), (_left(column), top))
        foot = top + PANEL + 17
        pen.text((_left(0), foot), _shortened(pen, translation.name, PANEL, _font(13)), SOFT, _font(13), anchor="ls")
        pen.text((_left(1), foot), translation.network, SOFT, _font(13), anchor="ls")
        pen.text((_left(3), foot), f"largest {translation.difference:.2g}", SOFT, _font(13), anchor="ls")
    text = caption(translations)
    pen.text((MARGIN, height - 22), text, SOFT, _fitting(pen, text, 15, width - 2 * MARGIN), anchor="ls")
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def heat(heatmap: np.ndarray) -> Image.Image:
    """A class activation map as the official code shows it: scaled to [0, 1], in the JET colours."""
    values = np.nan_to_num(heatmap[0].astype(np.float64))
    span = values.max() - values.min()
    values = (values - values.min()) / (span if span > 0 else 1.0)
    small = Image.fromarray((values * 255).astype(np.uint8))
    smooth = np.asarray(small.resize((PANEL, PANEL), Image.Resampling.BICUBIC)) / 255
    jet = [np.clip(1.5 - np.abs(4 * smooth - centre), 0, 1) for centre in (3, 2, 1)]
    return Image.fromarray((np.stack(jet, -1) * 255).astype(np.uint8))


def _left(column: int) -> int:
    return MARGIN + column * (PANEL + GAP)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitting(pen: ImageDraw.ImageDraw, text: str, size: int, width: float = PANEL) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font at this size, or as small as the text needs."""
    while size > 9 and pen.textlength(text, _font(size)) > width:
        size -= 1
    return _font(size)


def _shortened(pen: ImageDraw.ImageDraw, text: str, width: float, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while len(text) > 4 and pen.textlength(text, font) > width:
        text = text[:-4] + "..."
    return text
