"""A short run of the fuzz campaign; docs/fuzzing.md has the long one."""

import json
import subprocess
import sys
from pathlib import Path

import fuzzing
import pytest


@pytest.mark.parametrize(("cases", "seed"), [(1500, 1), pytest.param(3000, 2, marks=pytest.mark.slow)])
def test_broken_and_hostile_files_are_refused_in_one_line_or_converted(cases, seed):
    command = [sys.executable, fuzzing.__file__, "--worker", "--cases", str(cases), "--seed", str(seed)]
    child = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=500)
    assert child.returncode == 0, child.stderr[-2000:]
    outcomes, failures = json.loads(child.stdout.splitlines()[-1])
    assert failures == []
    # Each format both ways, or the campaign tries nothing: a mutation of a weight's byte is still a file.
    assert {name.split()[1] for name in outcomes} == {"converted", "refused"} and len(outcomes) == 24


def test_the_watch_sees_what_a_careless_reader_would_do(tmp_path, monkeypatch):
    """The mutant: a reader that unpickles, as paddle.load does."""
    import pickle

    (tmp_path / "corpus").mkdir()
    monkeypatch.setattr(fuzzing, "converted", lambda path, target, build: pickle.loads(pickle.dumps(fuzzing.Payload())))
    monkeypatch.setattr(fuzzing.signal, "signal", lambda *_: None)
    monkeypatch.setattr(fuzzing, "SECONDS", 0)
    _, failures = fuzzing.run(range(1), 0, tmp_path)
    assert any("os.system" in failure[2] for failure in failures)
