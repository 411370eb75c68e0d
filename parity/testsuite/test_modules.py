"""Every module of the U-GAT-IT pair alone: forward and gradients, train and eval, both lanes."""

from __future__ import annotations

import pytest

from parity.compare.ladder import compare
from parity.testsuite.conftest import must_be_same
from parity.ugatit import subjects as ugatit

NAMES = [subject.name for subject in ugatit.modules()]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", NAMES)
def test_module(name: str, training: bool, seed: int, lanes: tuple[str, ...], device: str) -> None:
    subject = next(s for s in ugatit.modules(seed, training=training) if s.name == name)
    must_be_same(compare(subject, lanes=lanes, device=device))


@pytest.mark.parametrize("name", ["LIN_bounds", "LIN_initial", "AdaLIN_bounds"])
def test_rho_at_and_beyond_its_bounds(name: str, seed: int, lanes: tuple[str, ...], device: str) -> None:
    must_be_same(compare(ugatit.exam_subject(name, seed), lanes=lanes, device=device))
