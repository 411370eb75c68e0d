"""What a line makes of the number that it draws, read off the source."""

import linecache

import pytest

from parity.trace.source import Site
from parity.trace.thresholds import is_one_threshold, may_run_on

ONE = {
    "asked": "if random() < rate:\n    return 1",
    "asked the other way round": "if not rate >= random.random():\n    return 1",
    "by an expression": "return 1 if self.training and rand(()) < self.rate[0] / 2 else 2",
    "as a number of python": "return 1 if float(torch.rand(1)) < rate else 2",
    "as an item": "return 1 if torch.rand(1).item() < rate else 2",
    "under a name": "u = uniform(0, 1)\nskip = True if training and (u < rate) else False\nreturn skip",
    "its answer under a name": "u = np.random.rand()\nskip = training and u < rate\nif not skip:\n    return 1",
    "in a loop with an end": "for layer in layers:\n    if random() < rate:\n        return 1",
}
MORE = {
    "an interval": "if low < random() < high:\n    return 1",
    "an interval under a name": "u = random()\nif u > low and u < high:\n    return 1",
    "something made of it": "if random() * 2 % 1 < rate:\n    return 1",
    "a whole number": "if int(random() * 9) < rate:\n    return 1",
    "equal": "if random() == rate:\n    return 1",
    "against another": "if random() < random():\n    return 1",
    "against what a call gives": "if random() < made(x):\n    return 1",
    "a mask": "mask = random() < rates\nreturn mask.sum()",
    "by another function": "if noise() < rate:\n    return 1",
    "changed": "u = random()\nu += u\nif u < rate:\n    return 1",
    "seen from outside": "global u\nu = random()\nif u < rate:\n    return 1",
    "kept": "self.u = random()\nif self.u < rate:\n    return 1",
    "returned": "return random()",
    "two on one line": "if random() < rate: return (random() < rate)",
}


def drawn_in(tmp_path, body):
    lines = ["def forward(self, x):", *(f"    {line}" for line in body.splitlines())]
    file = tmp_path / "program.py"
    file.write_text("\n".join(lines))
    linecache.checkcache(str(file))
    drawing = ("rand(", "random(", "uniform(", "noise(")
    return Site(str(file), next(number for number, line in enumerate(lines, 1) if any(call in line for call in drawing)))


@pytest.mark.parametrize("name", ONE)
def test_one_yes_or_no(tmp_path, name):
    assert is_one_threshold(drawn_in(tmp_path, ONE[name]))


@pytest.mark.parametrize("name", MORE)
def test_more_than_that(tmp_path, name):
    assert not is_one_threshold(drawn_in(tmp_path, MORE[name]))


def test_what_cannot_be_read_is_not_known():
    assert not is_one_threshold(None) and not is_one_threshold(Site("/no/such/file.py", 1)) and not may_run_on(None)


def test_a_loop_that_may_not_end(tmp_path):
    assert may_run_on(drawn_in(tmp_path, "while random() < rate:\n    pass"))
    assert not may_run_on(drawn_in(tmp_path, ONE["in a loop with an end"]))
