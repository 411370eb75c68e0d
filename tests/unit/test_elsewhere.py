"""Values known again under another name: by what they are, wherever they stand; exchanged ones are no other names."""

import numpy as np
import pytest

from parity.numbers.noise import generator
from parity.trace.events import Event, Key
from parity.verdict.elsewhere import Elsewhere
from parity.verdict.prints import print_of


def numbers(*shape, seed=0):
    return generator("elsewhere", seed).standard_normal(shape)


def key(variable, module="net", function="forward"):
    return Key("forward", 0, None, module, 0, function, 0, variable, 0)


def border(variable, module):
    return key(variable, module, "")


def elsewhere(ours, theirs, agreeing=()):
    return Elsewhere({one: Event(one, order, None, array) for order, (one, array) in enumerate(ours.items())},
                     {one: print_of(array) for one, array in theirs.items()}, set(agreeing))


A, B, C = (numbers(3, 4, seed=seed) for seed in range(3))


@pytest.mark.parametrize(("changed", "same"), [
    (A.T, True), (A.reshape(2, 6), True), (A * (1 + 1e-12), True), (A * (1 + 1e-5), False), (-A, False), (B, False),
    (A[::-1], False), (np.clip(A, None, 1.0), False)])
def test_a_print_knows_the_numbers_and_of_one_shape_their_places(changed, same):
    assert print_of(A).alike(print_of(np.ascontiguousarray(changed))) is same


def test_a_print_without_its_places():
    assert print_of(A).same_numbers(print_of(A[::-1].copy()))


@pytest.mark.parametrize("nothing", [None, np.ones(20), numbers(7), np.arange(20), np.full(20, np.nan), np.append(A, np.inf)])
def test_what_could_be_anything_has_no_print(nothing):
    assert print_of(nothing) is None


def test_a_value_of_one_side_alone_is_known_by_what_it_is():
    found = elsewhere({key("rows"): A}, {key("made"): A.T.copy(), key("wrong"): B})
    assert found.in_reference(key("made")) and not found.in_reference(key("wrong"))
    assert found.in_twin(key("rows"))
    assert not elsewhere({key("rows"): A}, {key("wrong"): B}).in_twin(key("rows"))


def test_one_name_for_two_things():
    ours = {key("hidden"): A, key("key"): B}
    theirs = {key("key"): A, border("output", "net.k"): B}
    assert elsewhere(ours, theirs).renamed(key("key"))
    assert not elsewhere(ours, {**theirs, key("key"): C}).renamed(key("key"))  # it is nothing that the reference has
    assert not elsewhere(ours, {key("key"): A}).renamed(key("key"))  # what it should be the twin has not made


def test_two_values_exchanged_are_no_other_names():
    ours, theirs = {key("q"): A, key("k"): B}, {key("q"): B, key("k"): A}
    assert not elsewhere(ours, theirs).renamed(key("q"))
    layers = {border("output", "net.q"): A, border("output", "net.k"): B}  # each also by another name, which both sides have
    assert not elsewhere({**layers, **ours}, theirs, layers).renamed(key("q"))


def test_rows_in_another_order_are_no_other_name():
    turned = np.ascontiguousarray(A[::-1])
    assert not elsewhere({key("x"): A, border("output", "net.a"): turned.reshape(2, 6)},
                         {key("x"): turned, border("output", "net.b"): A.reshape(2, 6)}).renamed(key("x"))


def test_of_other_shapes_one_side_is_enough():
    maps = numbers(2, 9)
    ours, theirs = {key("x"): maps, key("pooled"): A}, {key("x"): C, key("maps"): maps}
    assert elsewhere(ours, theirs).misnamed(key("x"))
    assert not elsewhere(ours, {key("x"): C}).misnamed(key("x"))


def test_a_call_of_one_side_alone_is_known_where_all_that_it_returns_is():
    call = border("output", "net.shared")
    assert elsewhere({key("rows"): A}, {call: A}).known(border("input[0]", "net.shared"))
    assert not elsewhere({key("rows"): A}, {call: B}).known(border("input[0]", "net.shared"))
    assert not elsewhere({key("rows"): A}, {}).known(border("input[0]", "net.shared"))


def test_an_argument_of_one_side_alone_is_known_where_the_other_gives_it_in_another_place():
    both, here, there = border("output", "net.a"), border("input[1]", "net.a"), border("input[2]", "net.a")
    assert elsewhere({both: C, here: A}, {there: A}, {both}).known(here)
    mask = border("input['mask']", "net")  # the other side has it, but does not hand it on
    assert not elsewhere({both: C, here: A, mask: A}, {}, {both, mask}).known(here)


@pytest.mark.parametrize(("returned", "known"), [(A, True), (A * 1.01, False), (A.reshape(2, 6), False)])
def test_a_call_that_one_side_alone_makes_and_that_changes_nothing_is_known(returned, known):
    """Dropout in eval mode."""
    given, made = border("input[0]", "net.drop"), border("output", "net.drop")
    assert elsewhere({}, {given: A, made: returned}).known(made) is known
    assert elsewhere({given: A, made: returned}, {}).known(given) is known
