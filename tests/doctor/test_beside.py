"""The doctor beside a reference."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from exams.doctor.faulty import FAULTY
from exams.doctor.run import recorded
from exams.doctor.sitting import Sitting
from parity.doctor.beside import diagnose_beside
from parity.doctor.known import likely_causes
from parity.steps.reference import record_reference
from parity.ugatit import subjects
from parity.ugatit.faults import CATALOGUE, inject
from parity.ugatit.faults.exam import sit


@pytest.mark.parametrize(("name", "kind"), [
    ("the wrong token asked for", "differs-from-reference"),  # no run without a reference can know it
    ("layers in a Python list", "module-unregistered"),
    (None, None),
])
def test_beside_the_reference(name, kind):
    sitting = next((one for one in FAULTY if one.name == name), Sitting("plain", "series"))
    subject, steps = recorded(sitting.program, 2)
    with sitting.in_place():
        said = diagnose_beside(subject, steps=2, recorded=steps)
        if name is None:
            assert not said.findings and said.iterations == 2
        else:
            assert said.first.id == kind and said.first.site is not None


@pytest.fixture(scope="module")
def ugatit():
    """The pair and a step of its reference, run once."""
    subject = subjects.training(subjects.Sizes(ngf=4, n_blocks=1, img_size=96, light=True, ndf=2))
    return subject, record_reference(subject, steps=1)


@pytest.mark.parametrize("name", ["wrong_label", None])
def test_the_likely_cause_is_named(ugatit, name):
    """Of a bug that no run without a reference can show: its line, the known bug that it looks like, and that bug's fix."""
    subject, steps = ugatit
    with inject(name) if name else nullcontext():
        said = diagnose_beside(subject, steps=1, recorded=steps, known=CATALOGUE.values())
    if name is None:
        assert not said.findings and said.iterations == 1
        return
    (found,) = said.findings
    assert found.id == "differs-from-reference"
    assert found.site.file.endswith("paddle_impl/losses.py")
    assert f"looks like: {CATALOGUE[name].what} ({name})" in found.evidence and found.remedy == CATALOGUE[name].fix


def test_a_known_bug_is_recognised_by_its_fingerprint():
    grade, _ = sit(CATALOGUE["G_gradients_not_cleared"])
    likely = [fault.name for fault in likely_causes(grade.headline, CATALOGUE.values())]
    assert likely[0] == "G_gradients_not_cleared" and "wrong_label" not in likely
    assert likely_causes(grade.headline, ()) == []
