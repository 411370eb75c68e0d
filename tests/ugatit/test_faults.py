"""Faults are diffs of the twin, put in and taken out again; each one is found where it is, and its absence as well."""

import dis
import importlib
import linecache
import sys
import traceback
from pathlib import Path

import pytest

from parity.fixes.edit import applied
from parity.ugatit.faults import CATALOGUE, Edit, EditError, inject

SOURCE = '''\
import functools


def triple(x):
    y = x * 2
    y = y + x
    return y


class Thing:
    def method(self, x):
        def inner(z):
            return z + 1
        value = inner(
            x
        )
        return value

    @staticmethod
    def fixed(x):
        return x - 1

    @functools.wraps(len)
    def wrapped(self):
        return 1


def fails(x):
    raise ValueError(x)


NOT_A_FUNCTION = 3
'''


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A module of its own for each test."""
    (tmp_path / "made_for_faults.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    linecache.clearcache()
    yield importlib.import_module("made_for_faults")
    del sys.modules["made_for_faults"]


def edit(where, old, new, **names):
    return Edit(f"made_for_faults:{where}", old, new, names)


# --- edits -----------------------------------------------------------------------------------------------------------


def test_an_edit_acts_while_the_block_runs(made):
    alias, code, file = made.triple, made.triple.__code__, Path(made.__file__)
    before = file.read_text()
    with applied((edit("triple", "y + x", "y - x"),)):
        assert alias(5) == made.triple(5) == 5
        assert file.read_text() == before
    assert alias(5) == 15 and made.triple.__code__ is code


def test_an_edit_is_taken_back_after_an_exception(made):
    code = made.triple.__code__
    with pytest.raises(RuntimeError), applied((edit("triple", "y + x", "y - x", extra=1),)):
        assert made.extra == 1
        raise RuntimeError
    assert made.triple.__code__ is code and not hasattr(made, "extra")
    assert linecache.getline(made.__file__, 6).strip() == "y = y + x"


def test_names_that_the_file_knows_are_not_taken_from_it(made):
    with applied((edit("triple", "y + x", "y - x", functools=None),)):
        pass
    assert hasattr(made, "functools")


def test_edits_compose_in_one_function_and_across_functions(made):
    with applied((edit("triple", "x * 2", "x * 3"), edit("triple", "y + x", "y - x"), edit("Thing.fixed", "x - 1", "x - 2"))):
        assert made.triple(5) == 10 and made.Thing.fixed(5) == 3
    assert made.triple(5) == 15 and made.Thing.fixed(5) == 4


def test_edits_nest(made):
    with applied((edit("triple", "x * 2", "x * 3"),)):
        with applied((edit("triple", "y + x", "y - x"),)):
            assert made.triple(5) == 10
            assert linecache.getline(made.__file__, 5).strip() == "y = x * 3"
        assert made.triple(5) == 20
    assert made.triple(5) == 15


def test_methods_nested_functions_and_static_methods(made):
    with applied((edit("Thing.method", "return z + 1", "return z + 10"), edit("Thing.fixed", "x - 1", "x + 1"))):
        assert made.Thing().method(1) == 11 and made.Thing.fixed(1) == 2
    with applied((edit("Thing.method", "inner(\n            x\n        )", "inner(\n            2 * x\n        )"),)):
        assert made.Thing().method(3) == 7


@pytest.mark.parametrize(("where", "old", "message"), [
    ("triple", "y * 7", "found it 0 times"), ("triple", "y = ", "found it 2 times"), ("triple", "x - 1", "found it 0 times"),
    ("quadruple", "x", "there is no 'quadruple'"), ("Thing.other", "x", "there is no 'other'"),
    ("NOT_A_FUNCTION", "3", "expected a function")])
def test_an_edit_that_does_not_fit_says_so_and_changes_nothing(made, where, old, message):
    code = made.triple.__code__
    with pytest.raises(EditError, match=message), applied((edit("triple", "y + x", "y - x"), edit(where, old, "z"))):
        pass
    assert made.triple.__code__ is code and made.triple(5) == 15
    assert linecache.getline(made.__file__, 6).strip() == "y = y + x"


def test_an_edit_may_not_move_the_lines_below():
    with pytest.raises(EditError, match="number of lines"):
        Edit("a:b", "x\n", "x")


def test_an_edit_that_is_no_python_leaves_nothing_behind(made):
    with pytest.raises(SyntaxError), applied((edit("triple", "y + x", "y +"),)):
        pass
    assert made.triple(5) == 15 and linecache.getline(made.__file__, 6).strip() == "y = y + x"


def test_the_edit_shows_where_source_is_read(made):
    with applied((edit("triple", "y + x", "y - x"),)):
        assert linecache.getline(made.__file__, 6).strip() == "y = y - x"
        lines = [line for _, line in dis.findlinestarts(made.triple.__code__)]
        assert set(lines) >= {5, 6, 7}
    assert linecache.getline(made.__file__, 6).strip() == "y = y + x"


def test_a_traceback_shows_the_faulty_line(made):
    with applied((edit("fails", "raise ValueError(x)", "raise KeyError(x, x)"),)):
        try:
            made.fails(1)
        except KeyError:
            shown = traceback.format_exc()
    assert "raise KeyError(x, x)" in shown and "line 29" in shown and made.__file__ in shown


def test_the_place_of_an_edit(made):
    assert edit("triple", "y + x", "y - x").site() == (made.__file__, 6)
    with applied((edit("triple", "x * 2", "x * 22222"),)):
        assert edit("triple", "y + x", "y - x").site() == (made.__file__, 6)


# --- the catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("no_such_fault",), ("gmp_G", "no_such_fault")])
def test_an_unknown_fault_is_named(names):
    with pytest.raises(KeyError, match="no_such_fault"):
        inject(*names)


def test_a_fault_acts_inside_the_block_only():
    import paddle_impl

    code = paddle_impl.LIN.forward.__code__
    with inject("iln_eps"):
        assert paddle_impl.LIN.forward.__code__ is not code
    assert paddle_impl.LIN.forward.__code__ is code


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault_says_what_it_is(name):
    said = CATALOGUE[name].to_json()
    assert said["name"] == name and all(said.values())


# That every fault is found and placed, and that the healthy twin passes, is the exam: parity/testsuite/test_exam.py, with --exam.
