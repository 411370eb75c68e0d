"""Values that diverged, drawn: two histograms as SVG, in the page's own colours, and maps as small PNGs."""

from __future__ import annotations

import base64
import io

import numpy as np
from markupsafe import Markup
from PIL import Image

from parity.messages import Message, say, term
from parity.report.words import short
from parity.verdict.sketch import BINS, Sketch

_WIDTH, _HEIGHT = 320, 96


def histograms(found: Sketch) -> Markup:
    """Reference filled, twin as a line over it; heights are logarithms of counts, so that few elements are seen beside many."""
    largest = np.log1p(max(*found.reference, *found.twin))
    heights = [_HEIGHT * np.log1p(counts) / largest for counts in (found.reference, found.twin)]
    step = _WIDTH / BINS
    bars = "".join(f'<rect x="{i * step:.1f}" y="{_HEIGHT - height:.1f}" width="{step - 1:.1f}" height="{height:.1f}"/>'
                   for i, height in enumerate(heights[0]) if height)
    line = " ".join(f"{x:.1f},{_HEIGHT - height:.1f}" for i, height in enumerate(heights[1]) for x in (i * step, (i + 1) * step))
    return Markup(f'<svg class="histogram" viewBox="0 -2 {_WIDTH} {_HEIGHT + 4}" preserveAspectRatio="none" aria-hidden="true">'
                  f'<g class="reference">{bars}</g><polyline class="twin" points="{line}"/></svg>')


def ends(found: Sketch) -> tuple[str, str]:
    """The smallest and the largest number, in words."""
    return f"{found.low:.3g}", f"{found.high:.3g}"


def maps(found: Sketch) -> list[tuple[Message, str]]:
    """(what it is, PNG in base64) of each; reference and twin in the same greys, of the distance white is the largest."""
    if found.maps is None:
        return []
    ours, theirs, apart = found.maps
    values = [array[np.isfinite(array)] for array in (ours, theirs)]
    low = min((array.min() for array in values if array.size), default=0.0)
    high = max((array.max() for array in values if array.size), default=1.0)
    largest = float(apart[np.isfinite(apart)].max(initial=0))
    slice_ = say("reference, slice {index}", index=list(found.slice)) if found.slice else term("reference")
    return [(slice_, _png(ours, low, high)), (term("twin"), _png(theirs, low, high)),
            (say("distance, white is {largest}", largest=short(largest)), _png(apart, 0.0, largest))]


def _png(array: np.ndarray, low: float, high: float) -> str:
    grey = np.nan_to_num((array - low) / (high - low or 1.0), nan=1.0).clip(0, 1)
    out = io.BytesIO()
    Image.fromarray((255 * grey).astype(np.uint8)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
