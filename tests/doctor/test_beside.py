"""The doctor beside a reference."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pairs import trainings

from exams.doctor.faulty import FAULTY
from exams.doctor.run import recorded
from exams.doctor.sitting import Sitting
from parity.doctor.beside import diagnose_beside
from parity.doctor.known import likely_causes
from parity.fixes.edit import Edit, applied
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


def bug(name, line):
    """Known by a piece of the reference's line of its loss."""
    return SimpleNamespace(name=name, what=f"{name}, as somebody saw it", fix=f"without {name}", answer=SimpleNamespace(
        stage="losses", phase=None, step=1, module="*", variable=None, line=line))


@pytest.mark.parametrize("wrong", [True, False])
def test_the_likely_cause_is_named(wrong):
    """Of a bug that no run without a reference can show: its line, the known bug that it looks like, and that bug's fix."""
    edit = Edit("pairs.training_paddle:RegressionTraining.step", "F.mse_loss", "F.l1_loss")
    with applied((edit,) if wrong else ()):
        said = diagnose_beside(trainings.regression.subject(), steps=1,
                               known=[bug("crossed", "cross_entropy"), bug("bent", "mse_loss")])
    if not wrong:
        assert not said.findings and said.iterations == 1
        return
    (found,) = said.findings
    assert found.id == "differs-from-reference"
    assert found.site.file.endswith("training_paddle.py") and "mse_loss" in found.site.text  # as the file has it
    assert "looks like: bent, as somebody saw it (bent)" in found.evidence and found.remedy == "without bent"


@pytest.mark.slow
def test_the_likely_cause_of_a_u_gat_it_is_named():
    subject = subjects.exam_training("training")
    with inject("wrong_label"):
        (found,) = diagnose_beside(subject, steps=1, known=CATALOGUE.values()).findings
    assert found.id == "differs-from-reference" and found.site.file.endswith("paddle_impl/losses.py")
    wrong_label = CATALOGUE["wrong_label"]
    assert f"looks like: {wrong_label.what} (wrong_label)" in found.evidence and found.remedy == wrong_label.fix


def test_a_known_bug_is_recognised_by_its_fingerprint():
    grade, _ = sit(CATALOGUE["G_gradients_not_cleared"])
    likely = [fault.name for fault in likely_causes(grade.headline, CATALOGUE.values())]
    assert likely[0] == "G_gradients_not_cleared" and "wrong_label" not in likely
    assert likely_causes(grade.headline, ()) == []
