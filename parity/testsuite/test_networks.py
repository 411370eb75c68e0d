"""The whole networks at ordinary sizes (ngf 8, ndf 4, 96 px), from seeded weights and generated pictures."""

from __future__ import annotations

import pytest

from parity.compare.ladder import compare
from parity.testsuite.conftest import must_be_same
from parity.ugatit import subjects as ugatit

CASES = [("genA2B", True), ("genA2B", False), ("genB2A", True), ("disGA", True), ("disLB", True)]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("name", "light"), CASES, ids=[f"{n}-{'light' if light else 'full'}" for n, light in CASES])
def test_network(name: str, light: bool, training: bool, seed: int, lanes: tuple[str, ...], device: str) -> None:
    """Discriminators run five times in a row, because spectral norm moves on with every training forward."""
    sizes = ugatit.Sizes(light=light, n_blocks=2 if name == "genB2A" else 4)
    images = {domain: ugatit.picture(domain, seed, sizes.img_size) for domain in "AB"}
    subject = next(ugatit.networks(sizes, images, names=(name,), seed=seed, training=training,
                                   calls=5 if name.startswith("dis") else 1))
    must_be_same(compare(subject, lanes=lanes, device=device))
