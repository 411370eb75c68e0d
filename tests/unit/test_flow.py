"""Where a divergence starts, by the names that lines read: runs made by hand of a few lines of source."""

from types import SimpleNamespace

import numpy as np
import pytest

from parity.trace.events import Event, Key
from parity.trace.source import Site
from tests.unit.events import judged, key

OWN = SimpleNamespace(names={}, one_sided=frozenset(), twin_source=())  # not written line for line


@pytest.fixture
def run(tmp_path):
    """A function that judges a twin of some lines: {(variable, line): (reference, twin)}, in execution order. A variable with
    a dot is one of an inner module, called on that line."""

    def judge(lines, values, stage="forward", **options):
        file = tmp_path / "model.py"
        file.write_text("def forward(self, x):\n" + "".join(f"    {line}\n" for line in lines))
        sides = ([], [])
        for order, ((variable, line), pair) in enumerate(values.items()):
            site = Site(str(file), line + 1)
            for side, value in zip(sides, pair, strict=True):
                side.append(Event(_key(variable)._replace(stage=stage), order, site, np.asarray(value), called=site))
        return judged(*sides, floor=1e-9, **options)

    return judge


def _key(variable: str) -> Key:
    module, _, name = f"net.{variable}".rpartition(".")
    border = variable == "output" or module != "net"
    return key(name, module, function="" if border else "forward")


ONE, OTHER = ([1.0], [1.0]), ([1.0], [2.0])
SHAPE, TWICE = (np.ones((2, 2)), np.ones((2, 3))), (np.ones((3, 2)), np.ones((3, 3)))


def test_a_local_of_another_shape_is_the_place_of_what_follows_from_it(run):
    lines = ["parts = split(x)", "gate, value = parts[0], parts[1]", "return gate * value"]
    values = {("parts[0]", 1): SHAPE, ("gate", 2): TWICE, ("output", 3): OTHER}
    first = run(lines, values, pair=OWN).first
    assert (first.key.variable, first.reference.line) == ("parts[0]", 2)
    assert run(lines, values | {("output", 3): ONE}, pair=OWN).verdict == "same"  # the same result by other steps


def test_a_local_of_another_shape_is_the_place_of_what_a_layer_is_given(run):
    lines = ["h = pad(x)", "return self.conv(h)"]
    values = {("h", 1): SHAPE, ("conv.input[0]", 2): TWICE, ("output", 2): OTHER}
    assert run(lines, values, pair=OWN).first.reference.line == 2
    assert run(lines, values | {("output", 2): ONE}, pair=OWN).verdict == "same"


@pytest.mark.parametrize("lines", [
    ["h = permute(x)", "y = back(h)", "return wrong(y)"],  # what is made of it agrees
    ["h = permute(x)", "y = f(x)", "return wrong(y)"],  # nothing is made of it
    ["h = permute(x)", "h = y = f(x)", "return wrong(h)"],  # the name has another value by then
])
def test_a_local_of_another_shape_is_not_blamed_for_what_goes_wrong_elsewhere(run, lines):
    first = run(lines, {("h", 1): SHAPE, ("y", 2): ONE, ("output", 3): OTHER}, pair=OWN).first
    assert first.key.variable == "output"


@pytest.mark.parametrize(("inside", "first"), [(ONE, "output"), (OTHER, "argument mask")])
def test_an_argument_of_another_shape_is_asked_for_in_the_function_that_it_is_given_to(tmp_path, inside, first):
    """Whatever goes by its name in the function that calls this one."""
    file = tmp_path / "net.py"
    file.write_text("def spread(self, mask):\n    wide = f(mask)\n    return wide\n\n"
                    "def forward(self, x, mask):\n    mask = self.spread(mask)\n    return g(x, mask)\n")
    values = {key("argument mask", function="spread"): (6, SHAPE), key("wide", function="spread"): (2, inside),
              key("mask", function="forward"): (6, ONE), key("output"): (7, OTHER)}
    sides = [[Event(where, order, Site(str(file), line), np.asarray(pair[side])) for order, (where, (line, pair))
              in enumerate(values.items())] for side in (0, 1)]
    assert judged(*sides, floor=1e-9, pair=OWN).first.key.variable == first


def test_another_order_of_the_terms_of_a_sum_is_not_blamed_for_what_comes_after(run):
    """The partial sums differ, what is made of them does not; a layer behind them goes wrong."""
    lines = ["e = a + b", "e = e + self.c(x)", "return self.norm(e)"]
    values = {("e", 1): OTHER, ("c.input[0]", 2): ONE, ("norm.input[0]", 3): ONE, ("norm.output", 3): OTHER, ("output", 3): OTHER}
    assert run(lines, values, pair=OWN).first.key.module == "net.norm"
    wrong = run(lines, values | {("norm.input[0]", 3): OTHER}, pair=OWN).first
    assert (wrong.key.variable, wrong.reference.line) == ("e", 2)


@pytest.mark.parametrize(("stage", "verdict"), [("forward", "same"), ("losses", "diverged")])
def test_a_loss_is_looked_at_for_itself(run, stage, verdict):
    """That what is made of it agrees makes it no less wrong."""
    values = {("a", 1): OTHER, ("total", 2): ONE}
    assert run(["a = f(x)", "total = g(x, a)", "return total"], values, stage=stage, pair=OWN).verdict == verdict


def test_without_the_source_at_hand_a_shape_says_nothing(run, tmp_path, monkeypatch):
    values = {("h", 1): SHAPE, ("output", 2): OTHER}
    monkeypatch.setattr("parity.trace.source.linecache.getlines", lambda *file: [])
    assert run(["h = pad(x)", "return f(h)"], values, pair=OWN).first.key.variable == "output"


# --- two mistakes in one function --------------------------------------------------------------------------------


def places(report):
    return [(place.key.variable, place.reference.line - 1) for place in report.places]


def test_two_mistakes_in_one_function_are_two_places(run):
    lines = ["mean = x.mean()", "var = x.var(biased)", "out = (x - mean) / var", "other = ((x - mean) ** 2).mean()",
             "return out * other"]
    values = {("mean", 1): ONE, ("var", 2): OTHER, ("out", 3): OTHER, ("other", 4): OTHER, ("output", 5): OTHER}
    assert places(run(lines, values, run="replay")) == [("var", 2), ("other", 4)]
    assert places(run(lines, values | {("other", 4): ONE}, run="replay")) == [("var", 2)]


@pytest.mark.parametrize("lines", [
    ["a = f(x)", "b = g(a)", "return b"],  # the one is made of the other
    ["a = x / self.count", "b = x * self.count", "return a + b"],  # of something that nobody compared
    ["n = count(x); a = x / n", "b = x * n", "return a + b"],
    ["x[0] = 7; a = f(x)", "b = g(x)", "return a + b"],  # of what was written in place
    ["x.mul_(7); a = f(x)", "b = g(x)", "return a + b"],
])
def test_one_mistake_that_two_lines_show_is_one_place(run, lines):
    values = {("a", 1): OTHER, ("b", 2): OTHER, ("output", 3): OTHER}
    assert places(run(lines, values, run="replay")) == [("a", 1)]


def test_a_mistake_in_a_function_that_is_called_is_not_also_one_of_the_line_that_calls_it(run):
    lines = ["a = f(x)", "b = helper(x)", "return a + b"]
    values = {("a", 1): OTHER, ("b", 2): OTHER, ("output", 3): OTHER}
    report = run(lines, values, run="replay")
    assert places(report) == [("a", 1), ("b", 2)]
    inside = key("h", function="helper")

    def with_helper(side):
        order = [("a", 1), ("helper", 2), ("b", 2), ("output", 3)]
        events = []
        for number, (variable, line) in enumerate(order):
            where = inside if variable == "helper" else _key(variable)
            site = next(f.reference for f in report.findings)._replace(line=line + 1)
            events.append(Event(where, number, site, np.asarray([1.0 + side])))
        return events

    assert places(judged(with_helper(0), with_helper(1), floor=1e-9, run="replay")) == [("a", 1)]
