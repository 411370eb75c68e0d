"""The official sample grid: a column per picture, seven rows."""

import matplotlib
import numpy as np
from PIL import Image

from .data import to_image

ROWS = ("real", "attention, identity", "identity", "attention, translation", "translation", "attention, cycle", "cycle")


def heat_picture(heatmap, size):
    """A heat map (1, h, w) as an RGB picture size x size: from its minimum to its maximum over the JET colours.

    A constant map is all minimum; NaN counts as minimum.
    """
    values = np.nan_to_num(np.asarray(heatmap[0], np.float32))
    values = values - values.min()
    values = np.uint8(255 * (values / max(float(values.max()), np.finfo(np.float32).tiny)))
    grey = Image.fromarray(values).resize((size, size), Image.Resampling.BILINEAR)
    colours = np.uint8(np.rint(255 * matplotlib.colormaps["jet"](np.asarray(grey))[..., :3]))
    return Image.fromarray(colours)


def sample_grid(real, forth, back):
    """The grid of one direction, an RGB picture 7 size high.

    real: float32 (N, 3, size, size); forth and back: functions from a batch to (pictures, heat maps), numpy; for
    A2B they are genA2B and genB2A.
    """
    size = real.shape[-1]
    identity, identity_heat = back(real)
    translation, translation_heat = forth(real)
    cycle, cycle_heat = back(translation)
    rows = [real, identity_heat, identity, translation_heat, translation, cycle_heat, cycle]
    grid = Image.new("RGB", (size * len(real), size * len(rows)))
    for y, row in enumerate(rows):
        for x, array in enumerate(row):
            picture = heat_picture(array, size) if y in (1, 3, 5) else to_image(array)
            grid.paste(picture, (x * size, y * size))
    return grid
