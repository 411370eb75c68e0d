"""Where functions to draw from are looked for: in modules, and elsewhere only if somebody there holds one."""

import gc
import random
import sys
from types import CellType, ModuleType

import numpy as np
import pytest

from parity.frameworks import host_random
from parity.frameworks.host_random import Held

ODD = {"vonmisesvariate": random, "wald": np.random}  # that nobody else holds


def is_held_elsewhere(name):
    """(What an expression looks at, it holds: so the function is named here, and after the count.)"""
    sought = host_random._held_elsewhere(list(host_random._in_modules()))
    return getattr(ODD[name], name) in sought


def in_a_closure(function):
    return lambda: function()


def on_an_object(function):
    holder = type("Program", (), {})()
    holder.draw = function
    return holder


def on_a_class(function):
    return type("Program", (), {"draw": staticmethod(function), "plain": function})


def in_a_dict(function):
    return {"draw": function}


HOLDERS = {"a closure": in_a_closure, "an object": on_an_object, "a class": on_a_class, "a dict": in_a_dict}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", ODD)
def test_what_holds_a_function_is_found_and_when_it_is_gone_nothing_is_sought(name, holder):
    assert not is_held_elsewhere(name)
    held = HOLDERS[holder](getattr(ODD[name], name))
    assert is_held_elsewhere(name)
    modules = [vars(random), vars(np.random), vars(np.random.mtrand)]
    where = [place for place, _, stand_in in Held().places() if getattr(stand_in, "__name__", None) == name
             and not any(place is module for module in modules)]
    assert where and all(isinstance(place, (dict, CellType)) for place in where)
    del held, where
    gc.collect()
    assert not is_held_elsewhere(name)


def test_a_module_that_holds_it_twice_hides_nobody():
    """Under two names, and itself under two names: each reference counts once."""
    module = ModuleType("held_twice")
    module.one = module.other = random.vonmisesvariate
    sys.modules["held_twice"] = sys.modules["held_twice_again"] = module
    try:
        assert not is_held_elsewhere("vonmisesvariate")
        held = in_a_closure(random.vonmisesvariate)
        assert is_held_elsewhere("vonmisesvariate")
        del held
    finally:
        del sys.modules["held_twice"], sys.modules["held_twice_again"]
