"""The exam's faults are found, named and placed; its healthy runs have no finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from exams.doctor import blind
from exams.doctor.faulty import FAULTY, SIX
from exams.doctor.healthy import HEALTHY
from exams.doctor.sitting import Sitting, builder
from parity.doctor.examine import examine
from tests.doctor.trainings import diagnosis

SMALL = [sitting for sitting in FAULTY if sitting.program != "ugatit"]
MISSED = {"the wrong token asked for"}  # no run without a reference can know it
ODD = [sitting for sitting in HEALTHY if sitting.program != "ugatit"]


@pytest.mark.parametrize("sitting", SMALL, ids=lambda sitting: sitting.name)
def test_a_fault_is_found_named_and_placed(sitting):
    edited = sitting.edited_lines()
    with sitting.in_place():
        found = examine(builder(sitting), source=sitting.source, expect=sitting.expect).first
        if sitting.name in MISSED:
            assert found is None
            return
        assert found is not None and found.id in sitting.ids, found
        assert found.site is not None
        assert sitting.line in found.site.text or tuple(found.site) in edited


@pytest.mark.parametrize("sitting", ODD, ids=lambda sitting: f"{sitting.name}-{sitting.program}-{sitting.framework}")
def test_a_healthy_run_has_no_finding(sitting):
    said = diagnosis(sitting)
    assert said.iterations == 20 and not said.errors
    assert {found.id for found in said.warnings} == set(sitting.declared)
    assert not sitting.expect or {found.id for found in said.expected} == {name.partition(":")[0] for name in sitting.expect}


@pytest.mark.parametrize("sitting", [sitting for sitting in SIX if sitting.program == "ugatit"], ids=lambda sitting: sitting.name)
def test_the_six_say_it_first(sitting):
    first = diagnosis(sitting, iterations=2).first
    assert first.id in sitting.ids
    assert all(count in first.message for count in COUNTS.get(sitting.name, ()))


COUNTS = {  # of Paddle issue 26721, at the released depth: 22 instance norms in the generators, u and v of 32 layers
    "132 parameters: affine instance norms": ("44 of the 132 parameters that G_optim holds", "expected 88"),
    "u and v handed over": ("D_optim holds 124 tensors, and 64 of them", "60 would be right"),
}


def test_ugatit_is_healthy():
    said = diagnosis(Sitting("plain", "ugatit"), iterations=3)
    assert said.iterations == 3 and not said.findings


def test_every_trap_of_the_field_is_in_the_exam():
    traps = " ".join(sitting.trap for sitting in FAULTY)
    for trap in (
        "stop_gradient=True",
        "backward without graph",
        "without with",
        "to_tensor(tensor)",
        ".numpy()",
        "detach()",
        "between forward and backward",
        "plain Tensor attribute",
        "create_parameter in forward",
        "Python list",
        "ReLU(True)",
        "broadcasts",
        "leaves zeros",
        "minimize(loss)",
        "created after the optimizer",
        "regularizer overrides",
        "_learning_rate",
        "set_lr with a scheduler",
        "accumulate",
        "iterators given to Adam",
        "26721",
    ):
        assert trap in traps, trap


def test_every_kind_is_tested():
    from parity.doctor import KINDS
    asked = {kind for sitting in (*FAULTY, *HEALTHY) for kind in (*sitting.ids, *sitting.declared, *sitting.expect)}
    asked |= {kind for case in (*blind.FAULTS, *blind.HEALTHY) for kind in (*case.ids, *case.later)}
    asked = {kind.partition(":")[0] for kind in asked}
    here = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [kind for kind in KINDS if kind not in asked and f'"{kind}"' not in here] == []
