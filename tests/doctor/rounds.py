"""What the tests of the blind rounds share: programs watched for a few steps, and what is said of them."""

from __future__ import annotations

import textwrap

import torch

import parity
from parity.doctor.script import diagnose_script


def found(step, models, optimizers=None, iterations=4, **options):
    """id -> finding, of so many steps."""
    with parity.doctor(models, optimizers, **options) as d:
        for _ in range(iterations):
            step()
    return {finding.id: finding for finding in d.findings}


def trained(net, loss, iterations=4, lr=0.01, kind=torch.optim.SGD):
    """id -> finding, of a training by this loss."""
    optimizer = kind(net.parameters(), lr)

    def step():
        optimizer.zero_grad()
        loss(net).backward()
        optimizer.step()

    return found(step, net, optimizer, iterations)


def script(tmp_path, text, **pieces):
    """id -> finding, of a script."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(text).format(**pieces))
    return {finding.id: finding for finding in diagnose_script(str(path)).diagnosis.findings}


def line(finding):
    return finding.site.text.strip()
