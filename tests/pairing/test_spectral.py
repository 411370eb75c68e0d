"""Spectral norms whose u and v lie in a layer of its own: paired, or said why they cannot be."""

import pytest

from parity.compare.ladder import glance
from parity.inputs import normal
from parity.port import Port
from tests.shared import spectral


def compared(twin):
    port = Port(spectral.reference, getattr(spectral, twin), inputs=[normal(2, 3, 6, 6)], calls=2)
    return glance(port.subject("train"))


@pytest.mark.parametrize("twin", spectral.HEALTHY)
def test_u_and_v_are_found_where_they_lie(twin):
    report = compared(twin)
    assert report.verdict == "same", report.first
    assert not [finding for finding in report.uncompared if "weight_" in finding.key.variable]


@pytest.mark.parametrize("twin", spectral.WRONG)
def test_a_norm_that_is_another_is_found(twin):
    report = compared(twin)
    first = report.first
    assert report.verdict == "diverged"
    assert (first.key.stage, first.key.module.partition(".")[2]) == spectral.WRONG[twin]
    assert spectral.SAID.get(twin, "") in str(first.deviation.trouble)
    if twin == "with_a_bias":
        assert len(report.diverged) == 1  # the weight has its partner
        return
    # Of u and v that have no partner that is all: the run goes on, and is compared.
    assert any(finding.key.stage == "forward" for finding in report.diverged)
    assert not any("weight_" in finding.key.variable for finding in report.diverged if finding.key.stage == "state"
                   and finding.key.module.endswith(".0") and twin in spectral.SAID)
