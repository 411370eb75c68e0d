"""What one environment draws, the other is handed: a trace holds the random numbers of the reference."""

import pytest

from parity.compare.results import Case
from parity.recordings.diff import diff
from parity.recordings.record import record, taken_over
from parity.recordings.traces import Trace
from tests.compare.test_random_programs import DIFFERENT, SAME, port


def recorded(folder, programs, side, source=None, **options):
    cases = [Case("Net", "train", port(*programs).subject("train"))]
    source = source and Trace.open(source)
    record(folder, taken_over(cases, source) if source else cases, side=side, source=source, **options)
    return folder


@pytest.mark.parametrize("options", [{"lane": "float64"}, {"lane": "float32"}, {"lane": "float64", "keep": "summaries"}],
                         ids=lambda options: " ".join(options.values()))
def test_a_trace_hands_out_its_random_numbers(tmp_path, options):
    there = recorded(tmp_path / "there", SAME["a dropout module"], "reference", **options)
    here = recorded(tmp_path / "here", SAME["a dropout module"], "twin", there, **options)
    assert diff(Trace.open(there), Trace.open(here)).verdict.startswith("same")  # "same up to summary"
    wrong = recorded(tmp_path / "wrong", DIFFERENT["a module's rate"][0], "twin", there, **options)
    found = diff(Trace.open(there), Trace.open(wrong))
    assert found.verdict == "diverged"
    told = str(found.results[0].report.first.deviation.trouble)
    assert told == "the reference draws bernoulli(0.6) of shape (5, 8), the twin bernoulli(0.5) of shape (5, 8)"


def test_recorded_apart_from_each_other_they_draw_the_same(tmp_path):
    one, other = (recorded(tmp_path / side, SAME["latent noise"], side, lane="float64") for side in ("reference", "twin"))
    assert diff(Trace.open(one), Trace.open(other)).verdict == "same"
