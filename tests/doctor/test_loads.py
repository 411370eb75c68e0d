"""What a script loads into its networks: a load that changes nothing is told of, whatever it was to do."""

import textwrap

import pytest

from parity.doctor.script import diagnose_script

TORCH = """
    import copy, torch
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    saved = {"module." + name: value.clone() for name, value in torch.nn.Linear(4, 1).state_dict().items()}
    BEFORE
    opt = torch.optim.Adam(net.parameters(), 1e-2)
    for number in range(4):
        x = torch.randn(8, 4)
        loss = ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if number == 1:
            best = KEPT
    net.load_state_dict(best)
"""
PADDLE = """
    import copy, paddle
    paddle.seed(0)
    net = paddle.nn.Linear(4, 1)
    saved = {"module." + name: value.clone() for name, value in paddle.nn.Linear(4, 1).state_dict().items()}
    BEFORE
    opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters())
    for number in range(4):
        x = paddle.randn([8, 4])
        loss = ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        if number == 1:
            best = KEPT
    net.set_state_dict(best)
"""
TAKEN_OFF = '{name.removeprefix("module."): value for name, value in saved.items()}'
WRITTEN = "net.state_dict(); [value.mul_(0.5) for value in best.values()]; net.load_state_dict(best)"
COPIED = "copy.deepcopy(net.state_dict())"


@pytest.mark.parametrize(("text", "before", "kept", "expected"), [
    (TORCH, "net.load_state_dict(saved, strict=False)", COPIED, ["nothing-loaded"]),
    (TORCH, f"net.load_state_dict({TAKEN_OFF}, strict=False)", COPIED, []),
    (TORCH, 'net.load_state_dict({"weight": torch.zeros(1, 4), **saved}, strict=False)', COPIED, []),
    (TORCH, "net.load_state_dict(net.state_dict())", "net.state_dict()", ["state-by-reference"]),
    (TORCH, "pass", "{name: value for name, value in net.state_dict().items()}", ["state-by-reference"]),
    (TORCH, "pass", "{name: value.clone() for name, value in net.state_dict().items()}", []),
    (TORCH, "net.load_state_dict(state_dict=saved, strict=False)", COPIED, ["nothing-loaded"]),
    (TORCH, "pass", f"{WRITTEN}; best = {COPIED}", []),
    (PADDLE, "net.set_state_dict(saved)", COPIED, ["nothing-loaded"]),
    (PADDLE, f"net.set_dict({TAKEN_OFF})", COPIED, []),
    (PADDLE, "net.set_state_dict(net.state_dict())", "net.state_dict()", ["state-by-reference"]),
    (PADDLE, "pass", "{name: value.clone() for name, value in net.state_dict().items()}", []),
], ids=str)
def test_a_load_that_changes_nothing(tmp_path, text, before, kept, expected):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(text).replace("BEFORE", before).replace("KEPT", kept))
    watched = diagnose_script(str(path))
    assert watched.error is None
    found = [finding for finding in watched.diagnosis.findings if finding.id in ("nothing-loaded", "state-by-reference")]
    assert [finding.id for finding in found] == expected
    assert all((before if finding.id == "nothing-loaded" else kept) in finding.site.text for finding in found)


def test_a_network_that_cannot_be_read_is_loaded_as_ever(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(TORCH).replace("BEFORE", """
with torch.device("meta"):
    lost = torch.nn.Linear(4, 1)
lost.load_state_dict(lost.state_dict())""").replace("KEPT", COPIED))
    watched = diagnose_script(str(path))
    assert watched.error is None and not watched.diagnosis.findings
