"""The same results in another container are the same results."""

import pytest

from parity.trace.results import Results


@pytest.mark.parametrize(("reference", "twin", "names"), [
    (["['a']", "['b']"], ["['b']", "['a']"], ["['b']", "['a']"]),  # a dict's order means nothing
    (["['z']", "['b']"], ["[0]", "[1]"], ["['z']", "['b']"]),  # a tuple for a dict: by order
    (["[0]", "[1]"], [".hidden", ".logits"], ["[0]", "[1]"]),
    (["['a']", "['b']"], [".b", ".a"], ["['b']", "['a']"]),  # an object for a dict: by name
    (["[0]", "[1]"], ["[0]", "[1]"], ["[0]", "[1]"]),
    ([""], ["[0]"], [""]),  # one value, wrapped
    (["['a']", "['b']"], ["['a']", "['c']"], ["['a']", "['c']"]),  # other names: left to be found
    (["[0]", "[1]"], ["[0]"], ["[0]"]),
    (["['a']"], ["[0]", "[1]"], ["[0]", "[1]"]),
])
def test_results_go_by_the_reference(reference, twin, names):
    results = Results()
    assert list(results.named(0, "net", 0, reference).values()) == reference
    assert list(results.named(1, "net", 0, twin).values()) == names


def test_each_call_has_its_own_and_without_the_reference_they_are_their_own():
    results = Results()
    results.named(0, "net", 0, ["['a']"])
    assert results.named(1, "net", 1, ["[0]"]) == {"[0]": "[0]"} and results.named(1, "other", 0, ["[0]"]) == {"[0]": "[0]"}


@pytest.mark.parametrize(("reference", "twin", "names"), [
    (["output"], ["output[0]", "output[1]"], ["output", "output[1]"]),  # one alone is the first of several
    (["output[0]", "output[1]"], ["output"], ["output[0]"]),
    (["output['a']", "output['b']"], ["output[0]", "output[1]"], ["output[0]", "output[1]"]),
    (["output[0]", "output[1]"], ["output[0]", "output[1]", "output[2]"], ["output[0]", "output[1]", "output[2]"]),
    ([], ["output"], ["output"]),
])
def test_what_one_side_returns_alone_is_the_first_of_the_other_s(reference, twin, names):
    results = Results()
    assert results.of(0).variables("net.a", 0, reference) == reference
    assert results.of(1).variables("net.a", 0, twin) == names and results.of(1).variables("net.b", 0, twin) == twin
