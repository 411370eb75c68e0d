"""What one side alone hands to an inner module: a mistake where what is made of it diverges, else written in another way."""

from types import SimpleNamespace

import numpy as np
import pytest

from parity.numbers.arrays import Verdict
from parity.trace.events import Event
from parity.trace.source import Site
from tests.unit.events import judged, key

OWN = SimpleNamespace(names={}, one_sided=frozenset(), twin_source=())  # not written line for line
ATTENTION = ["scores = q @ k", "if mask is not None:", "    scores = scores + mask", "p = softmax(scores)", "return p"]
NET = ["h = self.attn(x, mask)", "return h"]
SAME, OTHER, LONE = (1.0, 1.0), (1.0, 2.0), (1.0, None)


@pytest.fixture
def first(tmp_path):
    """A function that tells the first divergence: {(module, variable, line, line of the call): (reference, twin)}."""

    def judge(values, bodies, told=lambda first: (first.key.module, first.key.variable)):
        files = {}
        for module, (arguments, lines) in bodies.items():
            files[module] = tmp_path / f"{module}.py"
            files[module].write_text(f"def forward(self, {arguments}):\n" + "".join(f"    {line}\n" for line in lines))
        sides = ([], [])
        for order, ((module, variable, line, called), pair) in enumerate(values.items()):
            border = variable.startswith(("input", "output"))
            where = key(variable, module, function="" if border else "forward")
            site = Site(str(files.get(module, "library.py")), line + 1)
            around = Site(str(files[module.rpartition(".")[0]]), called + 1) if called else None
            for side, value in zip(sides, pair, strict=True):
                if value is not None:
                    side.append(Event(where, order, site, np.asarray([value]), called=around))
        report = judged(*sides, floor=1e-9, pair=OWN)
        assert sum(f.verdict is Verdict.DIVERGED for f in report.findings) == report.counts[Verdict.DIVERGED]
        return told(report.first) if report.first else None

    return judge


NETS = {"net": ("x, mask", NET), "net.attn": ("q, mask=None", ATTENTION)}
WRONG = {("net.attn", "output", 5, 1): OTHER, ("net", "h", 1, None): OTHER, ("net", "output", 2, None): OTHER}
HEALTHY = {("net.attn", "input[0]", 1, 1): SAME, ("net.attn", "input[1]", 1, 1): LONE, ("net.attn", "scores", 3, 1): SAME,
           ("net.attn", "p", 4, 1): SAME, ("net.attn", "output", 5, 1): SAME, ("net", "h", 1, None): SAME,
           ("net", "output", 2, None): SAME}


@pytest.mark.parametrize(("wrong", "place"), [
    ({}, None),
    ({("net", "output", 2, None): OTHER}, ("net", "output")),
    (WRONG, ("net.attn", "output")),
    (WRONG | {("net.attn", "scores", 3, 1): OTHER, ("net.attn", "p", 4, 1): OTHER}, ("net.attn", "input[1]")),
    # what was made of it has no partner, what is made of that diverges
    (WRONG | {("net.attn", "scores", 3, 1): LONE, ("net.attn", "p", 4, 1): OTHER}, ("net.attn", "input[1]")),
    (WRONG | {("net.attn", "input[0]", 1, 1): OTHER, ("net.attn", "p", 4, 1): OTHER}, ("net.attn", "input[0]")),
])
@pytest.mark.parametrize("turned", [False, True])
def test_it_is_a_place_where_what_is_made_of_it_diverges(first, wrong, place, turned):
    """On either side."""
    values = {where: pair[::-1] if turned else pair for where, pair in (HEALTHY | wrong).items()}
    assert first(values, NETS) == place


@pytest.mark.parametrize(("wrong", "place"), [
    ({("net.attn", "output", 1, 1): OTHER}, ("net.attn", "input[1]")),
    ({}, ("net", "output")),
    ({("net.attn", "input[0]", 1, 1): OTHER, ("net.attn", "output", 1, 1): OTHER}, ("net.attn", "input[0]")),
])
def test_of_a_library_s_module_its_results_tell(first, wrong, place):
    values = {("net.attn", "input[0]", 1, 1): SAME, ("net.attn", "input[1]", 1, 1): LONE, ("net.attn", "output", 1, 1): SAME,
              ("net", "output", 2, None): OTHER}
    assert first(values | wrong, {"net": NETS["net"]}) == place


@pytest.mark.parametrize(("inside", "place"), [(SAME, ("net.attn", "y")), (OTHER, ("net.attn", "input[1]"))])
def test_what_hands_it_on_is_asked_for_what_is_made_of_it_inside(first, inside, place):
    nets = {"net": ("x, mask", NET), "net.attn": ("q, mask", ["y = self.core(q, mask) * 2", "return y"]),
            "net.attn.core": ("q, mask", ["s = q + mask", "return s"])}
    values = {("net.attn", "input[0]", 1, 1): SAME, ("net.attn", "input[1]", 1, 1): LONE,
              ("net.attn.core", "input[0]", 1, 1): SAME, ("net.attn.core", "input[1]", 1, 1): LONE,
              ("net.attn.core", "s", 1, 1): inside, ("net.attn.core", "output", 2, 1): inside,
              ("net.attn", "y", 1, 1): OTHER, ("net.attn", "output", 2, 1): OTHER, ("net", "output", 2, None): OTHER}
    assert first(values, nets) == place


ROTATED = {"net": ("q", ["c = self.turn(q)", "r = rotated(q, c)", "return r"])}
CALLED = {("net.turn", "input[0]", 1, 1): LONE, ("net.turn", "output", 1, 1): LONE, ("net", "c", 1, None): LONE,
          ("net", "r", 2, None): SAME, ("net", "output", 3, None): OTHER}


@pytest.mark.parametrize(("wrong", "place"), [({}, ("net", "output")), ({("net", "r", 2, None): OTHER}, ("net.turn", "input[0]")),
                                              ({("net", "c", 1, None): OTHER}, ("net.turn", "input[0]"))])
@pytest.mark.parametrize("turned", [False, True])
def test_a_call_that_one_side_alone_makes_is_a_place_where_what_is_made_of_it_diverges(first, wrong, place, turned):
    values = {where: pair[::-1] if turned else pair for where, pair in (CALLED | wrong).items()}
    assert first(values, ROTATED) == place


def test_where_the_twin_lacks_something_its_line_beside_is_told(first):
    forgotten = HEALTHY | WRONG | {("net.attn", "scores", 3, 1): OTHER, ("net.attn", "p", 4, 1): OTHER}
    assert first(forgotten, NETS, lambda found: found.twin.line) == 2  # that of the call, under `def`
    never = {("net", "c", 1, None): SAME, ("net.turn", "output", 2, 2): LONE, ("net", "r", 2, None): OTHER,
             ("net", "output", 3, None): OTHER}
    assert first(never, ROTATED, lambda found: (found.key.module, found.twin.line)) == ("net.turn", 2)  # the last one before it


@pytest.mark.parametrize("weights", [LONE, LONE[::-1]])
def test_what_one_side_alone_returns_beside_the_rest_is_no_place(first, weights):
    values = {("net.attn", "input[0]", 1, 1): SAME, ("net.attn", "output", 5, 1): SAME, ("net.attn", "output[1]", 5, 1): weights,
              ("net", "output", 2, None): OTHER}
    assert first(values, NETS) == ("net", "output")
    assert first(values | {("net.attn", "output", 5, 1): OTHER}, NETS) == ("net.attn", "output")
