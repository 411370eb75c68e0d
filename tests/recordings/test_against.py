"""A twin's training against recorded steps: what the frameworks do otherwise is explained as where the reference runs along."""

import pytest
from pairs import trainings

from parity.differences import ALL
from parity.fixes.edit import Edit, applied
from parity.steps.follow import follow
from parity.steps.stored import record_to, recorded_in

TWIN = "pairs.training_paddle:ClassifierTraining.step"
REFERENCE = "pairs.training_torch:ClassifierTraining.step"
ANOTHER = "computes something else here than what was recorded"


def recorded(folder, mode, *edits):
    with applied(edits):
        record_to(folder, trainings.classifier.subject(), steps=2, mode=mode)
    return folder


def against(folder, *edits):
    with applied(edits):
        subject = trainings.classifier.subject()
        index, steps = recorded_in(folder, subject)
        return follow(subject, steps=2, mode=index["mode"], recorded=steps, differences=ALL)


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_a_healthy_twin_is_the_same_and_a_wrong_one_is_not(mode, tmp_path):
    folder = recorded(tmp_path / "day", mode)
    healthy = against(folder)
    assert healthy.verdict == "same" and healthy.steps == 2
    causes = {(finding.key.stage, finding.key.variable): finding.cause for finding in healthy.report.findings
              if finding.verdict.value == "explained"}
    assert "norm_epsilon" in causes["forward", "output"] and "momentum_factor" in causes["update", "weight"]
    wrong = against(folder, Edit(TWIN, "self.momentum.clear_grad()", "pass"))
    assert wrong.verdict == "diverged" and not any(ANOTHER in remark for remark in wrong.report.remarks)
    assert (wrong.report.first.key.stage, wrong.report.first.key.step) == ("gradients", 2)


def test_where_another_reference_runs_here_nothing_is_explained(tmp_path):
    """As nothing that it does says anything of the recorded one."""
    folder = recorded(tmp_path / "day", "free", Edit(REFERENCE, "loss.backward()", "(2 * loss).backward()"))
    found = against(folder)
    assert found.verdict == "diverged" and any(ANOTHER in remark for remark in found.report.remarks)
