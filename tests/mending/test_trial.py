"""A trial is a process of its own: whatever a program does in it is an outcome, and nothing of it stays."""

import importlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from parity.declare import loader
from parity.mending.search import _still
from parity.mending.trial import Far, Outcome, Place, attempt, import_installed
from parity.trace.source import Site


def summary(verdict):
    return SimpleNamespace(verdict=verdict, merged=SimpleNamespace(compared=3), headline=None, results=[],
                           sentence=lambda: "said")


def exits():
    sys.exit(0)


def is_killed():
    os.kill(os.getpid(), 9)


def hangs():
    time.sleep(60)


def raises():
    raise ValueError("no such layer")


def far():
    raise Far(1, SimpleNamespace(order=(5, 0), reference=None, twin=("a.py", 3), last_good_site=None,
                                 deviation=SimpleNamespace(distance=0.5), cause=None,
                                 key=SimpleNamespace(stage="forward", step=0, variable="y")))


def test_what_is_the_same_is_said_to_be():
    found = attempt(lambda: summary("same"), {}, seconds=10)
    assert (found.verdict, found.compared, found.said) == ("same", 3, "said")


@pytest.mark.parametrize(("program", "said"), [(exits, "SystemExit"), (is_killed, "without a word"), (hangs, "not done after"),
                                               (raises, "no such layer")])
def test_what_a_program_does_instead_is_a_failed_trial(program, said):
    began = time.monotonic()
    found = attempt(program, {}, seconds=1)
    assert found.verdict == "failed" and said in found.said and time.monotonic() - began < 10


def test_how_far_both_agree_is_compared():
    near, further = attempt(far, {}, seconds=10), attempt(lambda: summary("same"), {}, seconds=10)
    assert near.verdict == "diverged" and near.reached == (1, 0, 5, 0) and near.places[0].twin.line == 3
    assert further.further_than(near) and not near.further_than(further) and not near.further_than(near)


def test_a_twin_that_ends_is_no_further_than_one_that_goes_wrong():
    wrong, ended = (Outcome("diverged", "", (0, 0, at, 0), places=(Place("", None, Site("a.py", 3), None, "forward", variable),))
                    for at, variable in ((5, "y"), (6, "(exception)")))
    lacking = replace(ended, places=(Place("", None, None, None, "forward", "output[0]"),))
    assert not ended.further_than(wrong) and not lacking.further_than(wrong)
    assert replace(ended, places=wrong.places).further_than(wrong)


def test_the_same_first_place_is_no_further():
    """Of what the census finds the order goes by what else has a partner."""
    at, later = (Outcome("diverged", "", (0, 0, -1, order), places=(Place("", None, None, None, "census", "weight", "the weight"),))
                 for order in (3, 4))
    other = replace(later, places=(replace(later.places[0], key="another weight"),))
    assert not later.further_than(at) and other.further_than(at) and replace(later, reached=(1, 0, -1, 0)).further_than(at)


def test_nothing_can_be_written_or_removed(tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")

    def of(act):
        def program():
            act()
            return summary("same")

        return attempt(program, {}, seconds=10)

    for act in (lambda: kept.write_text("x"), lambda: kept.unlink(), lambda: kept.rename(tmp_path / "b"),
                lambda: (tmp_path / "c").mkdir(), lambda: subprocess.run(["true"])):
        assert "while a fix is looked for" in of(act).said
    assert kept.read_text() == "kept" and [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_what_is_temporary_may_be_written_and_is_gone(tmp_path):
    def program():
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write("x")
        return SimpleNamespace(**{**vars(summary("same")), "sentence": lambda: file.name})

    found = attempt(program, {}, seconds=10)
    assert found.verdict == "same" and found.said and not os.path.exists(found.said)


def test_a_file_that_is_read_is_read(tmp_path):
    (tmp_path / "a.txt").write_text("same")
    assert attempt(lambda: summary((tmp_path / "a.txt").read_text()), {}, seconds=10).verdict == "same"


def test_a_file_that_was_imported_before_is_read_as_the_trial_has_it(tmp_path):
    """A process that has run the pair already, by `parity.compare` or in a test, would go on with what it has imported."""
    file = tmp_path / "tried_before.py"
    file.write_text("value = 1\n")
    loader.load(str(file))

    def value():
        return SimpleNamespace(**{**vars(summary("same")), "sentence": lambda: loader.load(str(file)).value})

    for text in ("value = 2\n", "value = 3\n"):
        assert attempt(value, {os.path.realpath(file): text}, seconds=10).said == text[-2]
    assert loader.load(str(file)).value == 1


@pytest.mark.parametrize(("left", "off"), [(0.5, True), (5e-9, False)])
def test_what_is_left_of_a_mended_place_may_be_the_frameworks_own(left, off):
    """Paddle keeps a batch norm's momentum in float32: beside the right momentum that is far from nothing, and no mistake."""
    key = SimpleNamespace(stage="state")
    finding = SimpleNamespace(key=key, floor_multiple=1e8, deviation=SimpleNamespace(distance=left))
    place = Place("", None, None, None, key=repr(key), distance=0.2)
    assert (_still(SimpleNamespace(diverged=[finding]), place) is finding) is off


def test_a_place_behind_one_that_nothing_mends_is_right_where_it_is_gone_and_none_before_it_came():
    first, second, later = (Site("twin.py", line) for line in (3, 5, 7))
    before = Outcome("diverged", "", independent={first: (0, 1), second: (0, 4)})
    assert Outcome("diverged", "", independent={first: (0, 1)}).lacks(second, before)
    assert Outcome("diverged", "", independent={first: (0, 1), later: (0, 9)}).lacks(second, before)  # the place hid it
    assert Outcome("same", "").lacks(second, before)
    assert not Outcome("diverged", "", independent={first: (0, 1), second: (0, 5)}).lacks(second, before)
    assert not Outcome("diverged", "", independent={first: (0, 1), later: (0, 2)}).lacks(second, before)  # it broke another
    assert not Outcome("diverged", "", independent={first: (0, 1), later: None}).lacks(second, before)
    assert not Outcome("failed", "").lacks(second, before)


def test_what_is_installed_is_imported_once_and_the_users_files_in_each_trial(tmp_path, monkeypatch, capsys):
    """A library that a pair takes seconds to import costs each trial nothing."""
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "a_slow_library.py").write_text("print('a greeting')\n")
    (tmp_path / "a_users_net.py").write_text("import a_slow_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))

    def compare():
        importlib.import_module("a_users_net")
        return summary("same")

    found = attempt(compare, {}, seconds=10)
    assert found.installed == ("a_slow_library",) and "a_slow_library" not in sys.modules
    import_installed((*found.installed, "no_such_library"))
    assert "a_slow_library" in sys.modules and "a_users_net" not in sys.modules and not capsys.readouterr().out
    assert attempt(compare, {}, seconds=10).installed == ()
    del sys.modules["a_slow_library"]
