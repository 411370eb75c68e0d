"""Programs that name float32: what cannot run in float64 as it is, runs with that lifted; a mistake of the twin's is seen all the
same."""

import functools

import numpy as np
import paddle
import pytest
import torch
from paddle.nn import functional as P
from torch.nn import functional as F

import parity
from parity import integers
from parity.files import InputError
from parity.frameworks import FRAMEWORKS
from parity.frameworks.lifting import Lifted
from parity.port import Port

INPUTS = {"x": integers(3, low=0, high=5), "t": integers(3, low=0, high=50)}
LIFTED = "what the programs name float32"


class Reference(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.mix = torch.nn.Linear(5, 4), torch.nn.Linear(4, 2)

    def forward(self, x, t):
        waves = torch.exp(torch.arange(2) * -2.0)
        angles = t.float()[:, None] * waves
        time = self.mix(torch.cat([angles.sin(), angles.cos()], 1))
        kept = (x[:, None] > 2) * 1.0 * torch.from_numpy(np.ones(4, np.float32))
        return self.embed(F.one_hot(x, 5).float()) + time.sum() + self.mix(kept).mean()


class Twin(paddle.nn.Layer):
    """Each line has what Paddle makes float32 of."""

    def __init__(self, rate=-2.0, raises=False):
        super().__init__()
        self.embed, self.mix = paddle.nn.Linear(5, 4), paddle.nn.Linear(4, 2)
        self.rate, self.raises = rate, raises

    def forward(self, x, t):
        waves = paddle.exp(paddle.arange(2).astype("float32") * self.rate)
        angles = paddle.cast(t, "float32").unsqueeze(1) * waves
        time = self.mix(paddle.concat([angles.sin(), angles.cos()], 1))
        kept = (x.unsqueeze(1) > 2).astype("int64") * 1.0 * paddle.to_tensor(np.ones(4, np.float32))
        if self.raises:
            raise ValueError("of the twin's own")
        return self.embed(P.one_hot(x, 5)) + time.sum() + self.mix(kept).mean()


def compared(reference, twin, lanes=("float64",), **options):
    return parity.compare(Port(reference, twin, inputs=INPUTS, **options), lanes=lanes, modes=("eval",))


def remarks(summary):
    return " ".join(map(str, summary.merged.remarks))


@pytest.mark.parametrize("lanes", [("float64",), ("float64", "float32")])
def test_a_right_twin_that_casts_by_name_is_the_same_and_it_is_said(lanes):
    summary = compared(Reference, Twin, lanes)
    assert summary.verdict == "same" and LIFTED in remarks(summary)


def test_a_wrong_one_is_placed_where_it_is_wrong():
    _, found = compared(Reference, lambda: Twin(-2.01)).headline
    assert found.key.variable == "waves"


def test_what_the_twin_raises_for_itself_stays_what_it_raised():
    summary = compared(Reference, lambda: Twin(raises=True))
    _, found = summary.headline
    assert found.key.variable == "(exception)" and "of the twin's own" in str(found.deviation.trouble)


def test_what_the_reference_raises_for_itself_is_said():
    class Raising(Reference):
        def forward(self, x, t):
            super().forward(x, t)
            raise ValueError("of the reference's own")

    with pytest.raises(InputError, match="of the reference's own"):
        compared(Raising, Twin)


def test_a_program_that_runs_as_it_is_runs_as_it_is():
    class Single(torch.nn.Module):
        def forward(self, x, t):
            return (t + 0.5).float() / 3

    class Double(paddle.nn.Layer):
        def forward(self, x, t):
            return (t.astype("float32") + 0.5).astype("float64") / 3

    summary = compared(Single, Double)
    assert summary.verdict == "diverged" and LIFTED not in remarks(summary)  # another dtype is another result


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_afterwards_float32_is_float32_and_the_harness_keeps_it_meanwhile(framework):
    lifted = Lifted()
    x = framework.tensor(np.ones(2, np.int64))
    single = {"torch": lambda: x.float(), "paddle": lambda: x.astype("float32")}[framework.name]
    with framework.lifting(lifted):
        assert "float64" in str(single().dtype) and lifted.count == 1
        assert "float32" in str(framework.tensor(np.ones(2, np.float32)).dtype)
    assert "float32" in str(single().dtype) and lifted.count == 1


def test_what_stops_a_comparison_from_outside_is_no_programs_error():
    """As a trial of `parity fix` does, as soon as it knows enough: nothing is run again for it."""
    told = []

    def passed(case, report):
        told.append(report)
        raise LookupError

    # Of no file of the user's, as this one would be.
    pair = Port(functools.partial(torch.nn.Embedding, 5, 4), functools.partial(paddle.nn.Embedding, 5, 4),
                inputs=[integers(3, low=0, high=5)])
    with pytest.raises(LookupError):
        parity.compare(pair, lanes=("float64",), modes=("eval",), passed=passed)
    assert len(told) == 1


@pytest.mark.parametrize(("twin", "verdict"), [(Twin, "same"), (lambda: Twin(-2.01), "diverged"),
                                               (lambda: Twin(raises=True), "diverged")])
def test_recordings_are_lifted_alike_and_say_so(twin, verdict, tmp_path):
    pair, there, here = Port(Reference, twin, inputs=INPUTS, modes=["eval"]), tmp_path / "there", tmp_path / "here"
    parity.record(pair, there)
    parity.record(pair, here, side="twin", source=there)
    found = parity.diff(there, here)
    assert found.verdict == verdict and LIFTED in remarks(found)


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)

    def forward(self, x, t):
        return self.fc(torch.stack([x, t, x], 1).to(self.fc.weight.dtype))


class Casting(paddle.nn.Layer):
    def __init__(self, raises=False):
        super().__init__()
        self.fc, self.raises = paddle.nn.Linear(3, 2), raises

    def forward(self, x, t):
        if self.raises:
            raise ValueError("of the twin's own")
        return self.fc(paddle.stack([x, t, x], 1).astype("float32"))


@pytest.mark.parametrize(("raises", "verdict"), [(False, "same"), (True, "diverged")])
def test_a_recorded_twin_is_lifted_where_it_alone_casts(raises, verdict, tmp_path):
    pair, there, here = Port(Plain, lambda: Casting(raises), inputs=INPUTS, modes=["eval"]), tmp_path / "there", tmp_path / "here"
    parity.record(pair, there)
    parity.record(pair, here, side="twin", source=there)
    found = parity.diff(there, here)
    assert found.verdict == verdict and (LIFTED in remarks(found)) == (not raises)
    assert not raises or "of the twin's own" in str(found.headline[1].deviation.trouble)
