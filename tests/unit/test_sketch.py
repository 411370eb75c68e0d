"""What is drawn of two values that diverged: of which there is something to draw, and that it is theirs."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from parity.report import sketches
from parity.verdict.sketch import BINS, SIDE, sketch

RNG = np.random.default_rng(0)


def test_histograms_count_every_finite_element_of_each_side():
    ours, theirs = RNG.standard_normal(500), np.append(RNG.standard_normal(498), [np.nan, np.inf])
    found = sketch(ours, theirs, (3,))
    assert (sum(found.reference), sum(found.twin)) == (500, 498) and len(found.reference) == BINS and found.maps is None
    both = np.append(ours, theirs[:-2])
    assert (found.low, found.high) == (both.min(), both.max())
    assert found.twin == tuple(np.histogram(theirs[:-2], BINS, (found.low, found.high))[0])


@pytest.mark.parametrize("shape", [(2, 3, 8, 9), (100, 300), (1, 64, 65)])
def test_a_map_is_of_the_slice_that_is_farthest_apart(shape):
    ours = RNG.standard_normal(shape)
    theirs, worst = ours.copy(), tuple(size - 1 for size in shape)
    theirs[worst] += 50
    found = sketch(ours, theirs, worst)
    assert found.slice == worst[:-2]
    rows, columns = (min(size, SIDE) for size in shape[-2:])
    assert {part.shape for part in found.maps} == {(rows, columns)}
    apart = found.maps[2]
    assert apart[-1, -1] == pytest.approx(50) and np.count_nonzero(apart) == 1
    _, _, (what, png) = sketches.maps(found)
    assert "white is 50" in str(what)
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
    assert grey[-1, -1] == 255 and grey.sum() == 255


@pytest.mark.parametrize(("ours", "theirs"), [
    (np.ones(20), np.ones((4, 5))), (np.arange(4.0), np.arange(4.0) + 1), (np.ones(20), np.ones(20)),
    (np.ones(20) * 1j, np.ones(20)), (np.full(20, np.nan), np.full(20, np.inf)), (np.array(["a"] * 20), np.array(["b"] * 20)),
    (np.append(np.zeros(19), -1.7e308), np.append(np.zeros(19), 1.7e308))])
def test_where_there_is_nothing_to_draw_nothing_is_drawn(ours, theirs):
    with np.errstate(over="ignore"):
        assert sketch(ours, theirs, None) is None


def test_flags_and_halves_are_drawn():
    assert sum(sketch(np.arange(16) % 2 == 0, np.ones(16, bool), (1,)).twin) == 16
    assert sketch(np.arange(16, dtype=np.float16), np.zeros(16, np.float16), (1,)).high == 15


def test_a_histogram_is_drawn_for_both():
    drawn = sketches.histograms(sketch(np.linspace(0, 1, 40), np.linspace(0.5, 1, 40), (0,)))
    assert drawn.count("<rect") == BINS and drawn.count("<polyline") == 1 and "nan" not in drawn
