"""Values that go to a file where memory has no room for them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from parity.files import InputError
from parity.numbers.noise import M
from parity.numbers.strata import Floors
from parity.trace.events import Event
from parity.verdict.sinks import Against, Store
from parity.verdict.spill import Spill, Spilled
from tests.unit.events import event, key


@pytest.fixture
def spilling(monkeypatch):
    """Every array goes to the file."""
    monkeypatch.setattr(Store, "ROOM", -1)
    monkeypatch.setattr(Store, "LARGE", 0)


@pytest.mark.parametrize("array", [np.arange(12.0).reshape(3, 4).T, np.float32(2.5), np.zeros((0, 3)), np.array([True, False]),
                                   np.array([1 + 2j]), np.array(["a", "bc"])], ids=str)
def test_what_was_put_there_comes_back(array):
    spill = Spill()
    spill.put(np.ones(3))
    found = spill.array(spill.put(np.asarray(array)))
    assert found.dtype == np.asarray(array).dtype and found.shape == np.shape(array) and (found == array).all()


def test_a_store_holds_only_so_much_and_one_value_of_two_names_lies_there_once(monkeypatch):
    monkeypatch.setattr(Store, "ROOM", 1 << 20)
    store, array = Store(), np.ones(1 << 17)
    for number, value in enumerate((array, array, array + 1, array + 2)):
        store.receive(event(key(f"x{number}"), value, number))
    kept = list(store.events.values())
    assert [isinstance(one, Spilled) for one in kept] == [False, False, True, True]
    assert kept[0].array is kept[1].array is array and [one.array[0] for one in kept[2:]] == [2, 3]
    assert store._spill._end == 2 * array.nbytes
    one = kept[2].array
    store.receive(event(key("again"), one))
    store.receive(event(key("again, too"), one))
    assert store._spill._end == 3 * array.nbytes


def test_of_a_programs_own_memory_a_copy_is_kept():
    store, array = Store(), np.ones(3)
    for name in ("x", "y"):
        store.receive(event(key(name), array), copy=True)
    array[:] = 7
    assert all((one.array == 1).all() for one in store.events.values())
    assert store.events[key("x")].array is store.events[key("y")].array


def test_what_is_let_go_is_gone_and_its_dtype_is_known_without_reading(spilling, monkeypatch):
    store = Store()
    store.receive(Event(key("x"), 0, None, np.ones(3, np.float32), scale=2.0))
    one = store.events[key("x")]
    with monkeypatch.context() as patched:
        patched.setattr(Spill, "array", None)
        assert one.dtype == np.float32 and one.scale == 2.0 and key("x") in store.replayed()
    one.array = None
    assert one.array is None and one.dtype is None


@pytest.mark.parametrize("free", [0, 1 << 40])
def test_a_full_disk_is_said_with_what_to_do(monkeypatch, free):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    spill = Spill()
    spill._file = SimpleNamespace(seek=lambda at: at, write=full)
    with pytest.raises(InputError, match="MiB free after 0 MiB of them; make room there, or set TMPDIR"):
        spill.put(np.ones(3))


# --- one run of the twin beside other floors --------------------------------------------------------------------------


def test_beside_other_floors_a_run_is_what_it_would_have_been_with_them_from_the_start():
    values = {"one": (np.ones(3), np.array([1, 1.5, 1])), "strata": (np.array([1e-12, 1e3]), np.array([1.5e-12, 1001])),
              "lost": (np.ones(2), None)}
    store = Store()
    for name, (array, _) in values.items():
        store.receive(event(key(name), array))
    few = {key("one"): 1e-3, key("strata"): Floors((1e-15, 1.0)), key("lost"): 1.0}
    more = {key("one"): 1.0, key("strata"): Floors((1e-12, 1e-3)), key("lost"): 2.0}

    def run(floors):
        against = Against(store, floors, M)
        for name, (_, array) in values.items():
            against.receive(event(key(name), array))
        return against

    again, anew = run(few).beside(more, M), run(more)
    assert again.matched == anew.matched and again.kept.keys() == anew.kept.keys() == {key("strata")}
    assert again.matched[key("strata")][1].stratum == 1 and run(few).matched[key("strata")][1].stratum == 0
    assert run(more).beside(few, M) is None  # of `one` no arrays were kept, and now they are wanted
