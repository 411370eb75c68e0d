"""What programs return is found, whatever it is wrapped in; what cannot be compared is said."""

import enum
from array import array
from collections import ChainMap, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from parity.frameworks.nests import Unknown, as_array, gone_through, leaves, replaced


class Tensor:
    """Stands for a framework's."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


class Plain:
    def __init__(self, **parts):
        self.__dict__.update(parts)


class Slotted:
    __slots__ = ("hidden", "logits")

    def __init__(self, logits, hidden):
        self.logits, self.hidden = logits, hidden


@dataclass(frozen=True)
class Data:
    logits: object
    rest: object = None


Pair = namedtuple("Pair", "one two")
A, B = Tensor("a"), Tensor("b")


def is_tensor(value):
    return isinstance(value, Tensor)


def found(value, **options):
    return {path: leaf for path, leaf in leaves(value, is_tensor, **options) if is_tensor(leaf)}


@pytest.mark.parametrize("nest, paths", [
    (A, [""]), ((A, [B]), ["[0]", "[1][0]"]), ({"a": A, "b": B}, ["['a']", "['b']"]), (deque([A, B]), ["[0]", "[1]"]),
    (Data(A, (B,)), [".logits", ".rest[0]"]), (SimpleNamespace(x=A, y=B), [".x", ".y"]), (Pair(A, B), ["[0]", "[1]"]),
    (OrderedDict(z=A, b=B), ["['z']", "['b']"]), (defaultdict(list, a=[A], b=[B]), ["['a'][0]", "['b'][0]"]),
    (ChainMap({"a": A}, {"b": B}), ["['b']", "['a']"]), (MappingProxyType({"a": A, "b": B}), ["['a']", "['b']"]),
    ({"a": A, "b": B}.values(), ["[0]", "[1]"]), ({"a": A, "b": B}.items(), ["[0][1]", "[1][1]"]),
    (Plain(x=A, y=Plain(z=B)), [".x", ".y.z"]), (Slotted(A, B), [".hidden", ".logits"]),
])
def test_tensors_are_found_and_put_back(nest, paths):
    held = found(nest, objects=True)
    assert sorted(held) == sorted(paths)
    other = Tensor("other")
    again = found(replaced(nest, is_tensor, {paths[0]: other}, objects=True), objects=True)
    assert again[paths[0]] is other and all(again[path] is held[path] for path in paths[1:])
    assert found(nest, objects=True) == held  # the user's own object is left alone


def test_a_queue_stays_as_short_as_it_is_put_back():
    assert replaced(deque([A, A], maxlen=2), is_tensor, {"[0]": B}) == deque([B, A]) and (
        replaced(deque([A, A], maxlen=2), is_tensor, {"[0]": B}).maxlen == 2)


def test_plain_objects_are_opened_for_results_only():
    assert not found(Plain(x=A)) and found(Plain(x=A), objects=True)


def test_what_holds_itself_ends():
    nest = Plain(x=A)
    nest.me = nest
    assert list(found(nest, objects=True)) == [".x"]


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize("leaf, other", [
    (1, 2), (1.5, 1.6), (True, False), (1 + 2j, 1 - 2j), ("cat", "dog"), (2**70, 2**70 + 1), (Decimal("0.1"), Decimal("0.2")),
    (b"a", b"b"), ({1, 2}, {1, 3}), (range(3), range(4)), (np.array(["a"]), np.array(["b"])),
    (bytearray(b"a"), bytearray(b"b")), (array("d", [1.5]), array("d", [1.25])), (memoryview(b"a"), memoryview(b"b")),
    (np.datetime64("2020-01-01"), np.datetime64("2020-01-02")), (np.timedelta64(1, "D"), np.timedelta64(2, "D")),
])
def test_what_is_no_tensor_is_compared(leaf, other):
    assert np.array_equal(as_array(leaf), as_array(leaf)) and not np.array_equal(as_array(leaf), as_array(other))


def test_what_a_mask_hides_is_no_part_of_the_value_and_the_mask_is():
    def of(values, mask):
        return {path: as_array(leaf).tolist() for path, leaf in leaves(np.ma.array(values, mask=mask), is_tensor)}

    assert of([1.0, 2.0], [0, 1]) == of([1.0, 9.0], [0, 1])
    assert of([1.0, 2.0], [0, 1]) != of([1.0, 2.0], [0, 0]) and of([1.0, 2.0], [0, 1]) != of([3.0, 2.0], [0, 1])


def test_names_of_choices_are_texts_and_nothing_is_nothing():
    assert as_array(Colour.RED) == "Colour.RED" and as_array(None) is None


@pytest.mark.parametrize("leaf", [print, iter([1]), object(), {A}, np.array([object()])])
def test_what_cannot_be_compared_is_said(leaf):
    with pytest.raises(Unknown):
        as_array(leaf)


def test_iterators_are_gone_through_wherever_they_are():
    assert gone_through((A, (n for n in (1, 2)), {"b": iter([B])})) == (A, [1, 2], {"b": [B]})
    nest = (A, [B], {"c": 1})
    assert gone_through(nest) is nest and gone_through(A) is A
