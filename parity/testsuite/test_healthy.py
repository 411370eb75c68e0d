"""The healthy twin under every configuration that hypothesis draws: shapes, batches, seeds, extreme values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.compare.ladder import compare
from parity.numbers.noise import generator
from parity.testsuite.conftest import must_be_same
from parity.ugatit import subjects as ugatit
from parity.ugatit.faults.score import Mark, mark_healthy

_NAMES = ("AdaLIN", "LIN", "InstanceNorm2d", "CAM", "CAM_spectral", "spectral_conv", "ResnetBlock", "ResnetAdaILNBlock")

SUBJECTS = st.fixed_dictionaries({
    "name": st.sampled_from(_NAMES),
    "seed": st.integers(0, 2**32 - 1),
    "channels": st.integers(1, 9),
    "size": st.integers(5, 17),
    "batch": st.integers(1, 3),
    "training": st.booleans(),
    "magnitude": st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6]),
    "picture": st.sampled_from(["noise", "constant", "one bright pixel", "offset", "zero"]),
    "rho": st.sampled_from(["inside", "at bounds", "beyond"]),
})


def draw_subject(name: str, seed: int, channels: int, size: int, batch: int, training: bool, magnitude: float,
                 picture: str, rho: str):
    """The subject of these words."""
    subject = next(s for s in ugatit.modules(seed, channels=channels, size=size, batch=batch, training=training)
                   if s.name == name)
    inputs = dict(subject.inputs)
    first = next(iter(inputs))
    shape = inputs[first].shape
    if picture == "constant":
        inputs[first] = np.full(shape, 0.7)
    elif picture == "zero":
        inputs[first] = np.zeros(shape)
    elif picture == "one bright pixel":
        inputs[first] = np.full(shape, 0.1)
        inputs[first][..., size // 2, size // 3] = 5
    elif picture == "offset":
        inputs[first] = inputs[first] * 0.01 + 10
    inputs[first] = (inputs[first] * magnitude).astype(np.float32)
    state = dict(subject.state)
    for entry in state:
        if entry.rpartition(".")[2] == "rho" and rho != "inside":
            rng = generator(seed, "rho", entry)
            bounds = [0.0, 1.0] if rho == "at bounds" else [-0.5, 0.0, 1.0, 1.5]
            state[entry] = rng.choice(bounds, state[entry].shape).astype(np.float32)
    return ugatit.with_changes(subject, inputs=inputs, state=state)


def test_no_healthy_configuration_fails(draws: int, lanes: tuple[str, ...], device: str, marked: Callable[[Mark], None]) -> None:
    verdicts: list[str] = []

    @settings(max_examples=draws, database=None)
    @given(SUBJECTS)
    def healthy(words: dict) -> None:
        report = compare(draw_subject(**words), lanes=lanes, device=device)
        verdicts.append(report.verdict)
        must_be_same(report, ceilings=False)

    try:
        healthy()
    finally:
        marked(mark_healthy("drawn configurations", "diverged" if "diverged" in verdicts else "same", len(verdicts)))
