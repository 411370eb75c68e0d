"""An unchanged script under `parity doctor`: watched, not changed, told of."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

TORCH = """
    import sys, torch
    from torch import nn
    def main(epochs):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
        opt = torch.optim.Adam(model.parameters(), 1e-2)
        for epoch in range(epochs):
            model.eval()
            with torch.no_grad():
                model(torch.zeros(1, 8))
            model.train()
            for number in range(4):
                x = torch.randn(8, 8)
                loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
                opt.zero_grad()
                loss.backward()
                opt.step()
                print(epoch, number, loss.item())
    if __name__ == "__main__":
        main(int(sys.argv[1]))
"""
PADDLE = """
    import sys, paddle
    from paddle import nn
    paddle.seed(0)
    net = nn.Linear(8, 1)
    opt = paddle.optimizer.AdamW(1e-2, parameters=net.parameters())
    for number in range(4 * int(sys.argv[1])):
        x = paddle.randn([8, 8])
        loss = ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        print(number, float(loss))
"""
CLEARS = {"torch": "opt.zero_grad()", "paddle": "opt.clear_grad()"}


def run(folder, *arguments):
    return subprocess.run([sys.executable, "-W", "ignore", *arguments], cwd=folder, capture_output=True, text=True)


def doctor(folder, *arguments):
    return run(folder, "-m", "parity", "doctor", *arguments)


@pytest.fixture(params=["torch", "paddle"])
def script(request, tmp_path):
    text = textwrap.dedent({"torch": TORCH, "paddle": PADDLE}[request.param])
    (tmp_path / "train.py").write_text(text)
    (tmp_path / "bad.py").write_text(text.replace(CLEARS[request.param], "pass"))
    return tmp_path


def test_a_healthy_script_runs_as_it_does_alone(script):
    seen = doctor(script, "--iterations", "6", "train.py", "3")
    assert seen.returncode == 0, seen.stderr
    printed, said = seen.stdout.split("no finding in 6 iterations")
    assert printed == run(script, "train.py", "3").stdout and printed.count("\n") == 12
    assert "6 optimizer steps" in said and "optimizers: opt" in said


def test_a_faulty_script_is_told_of_and_can_be_stopped(script):
    seen = doctor(script, "--iterations", "5", "--stop", "--json", "found.json", "bad.py", "3")
    assert seen.returncode == 1, seen.stderr
    (found,) = json.loads((script / "found.json").read_text())["findings"]
    assert found["id"] == "leftover-gradient" and "opt.step()" in (script / "bad.py").read_text().splitlines()[found["line"] - 1]
    assert seen.stdout.splitlines()[4].split()[0] != "5" and len(run(script, "bad.py", "3").stdout.splitlines()) == 12
    assert sum(line[0].isdigit() for line in seen.stdout.splitlines() if line) <= 7  # the steps that were printed, and the count


ENDS = {"raises": ("raise RuntimeError('what now')", 1, "what now"), "exits": ("sys.exit(3)", 0, "no finding")}


@pytest.mark.parametrize("how", ENDS)
def test_a_script_that_ends_early_is_told_of(tmp_path, how):
    statement, code, said = ENDS[how]
    (tmp_path / "train.py").write_text(textwrap.dedent(TORCH).replace("            print(", f"            if epoch: {statement}\n"
                                                                      "            print("))
    seen = doctor(tmp_path, "train.py", "2")
    assert seen.returncode == code and said in seen.stdout, seen.stdout + seen.stderr


@pytest.mark.parametrize(("text", "said"), [
    ("print(1)", "neither it nor the files beside it"),
    ("import torch\nnet = torch.nn.Linear(2, 1)\nnet(torch.zeros(1, 2))", "nothing was watched"),
])
def test_what_trains_nothing_is_no_pass(tmp_path, text, said):
    (tmp_path / "train.py").write_text(text)
    seen = doctor(tmp_path, "train.py")
    assert seen.returncode == 2 and said in seen.stderr
    assert doctor(tmp_path, "no.py").returncode == 2
