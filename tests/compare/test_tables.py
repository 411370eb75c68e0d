"""Buffers that a program makes by itself, always the same, are its own work: the twin is not given the reference's in silence."""

import inspect

import numpy as np
import paddle
import pytest
import torch

import parity
from parity import Port
from parity.inputs import normal

t, p = torch.nn, paddle.nn
ENCODING = np.sin(np.arange(24).reshape(6, 4) / 10 ** (np.arange(4) / 4)).astype("float32")
INDEX = np.array([[3, 0, 2], [1, 5, 4]])
MASK = np.triu(np.full((4, 4), -np.inf, "float32"), 1)


class TorchTable(t.Module):
    def __init__(self, table):
        super().__init__()
        self.fc = t.Linear(6, 4)
        self.register_buffer("table", table())

    def forward(self, x):
        return self.fc(x) + self.table.sum().clamp(-1, 1)


class PaddleTable(p.Layer):
    def __init__(self, table):
        super().__init__()
        self.fc = p.Linear(6, 4)
        self.register_buffer("table", table())  # here

    def forward(self, x):
        return self.fc(x) + self.table.sum().clip(-1, 1)


def compared(reference, twin, **options):
    def built(kind, make, table):
        return lambda: kind(lambda: make(table() if callable(table) else table))

    return parity.compare(Port(built(TorchTable, torch.tensor, reference), built(PaddleTable, paddle.to_tensor, twin),
                               inputs=[normal(2, 6)], modes=["eval"], **options), quick=True)


@pytest.mark.parametrize(("reference", "twin"), [(ENCODING, np.cos(ENCODING)), (ENCODING, ENCODING[::-1].copy()),
                                                 (INDEX, 5 - INDEX), (INDEX, INDEX.astype("int32") + 1)])
def test_a_table_that_is_made_otherwise_is_found_where_it_is_made(reference, twin):
    found = compared(reference, twin)
    finding = found.headline[1]
    lines, start = inspect.getsourcelines(PaddleTable)
    assert found.verdict == "diverged" and finding.key.stage == "census" and finding.key.variable == "table"
    assert finding.twin.line == start + next(number for number, line in enumerate(lines) if "# here" in line)


@pytest.mark.parametrize(("reference", "twin"), [
    (ENCODING, ENCODING), (ENCODING, ENCODING + 1e-4), (INDEX, INDEX), (ENCODING, np.zeros_like(ENCODING)),
    (MASK, np.nan_to_num(MASK, neginf=-1e9)),
    (lambda: torch.randperm(6).numpy(), lambda: paddle.randperm(6).numpy()),
    (lambda: torch.rand(6).numpy(), lambda: np.arange(6, dtype="float32")),
])
def test_what_is_made_alike_or_drawn_or_left_to_be_loaded_is_no_finding(reference, twin):
    assert compared(reference, twin).verdict == "same"
