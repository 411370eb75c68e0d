"""Scripts that train one thing after another, and scripts that train what is no network's."""

import textwrap

import pytest

from parity.doctor.script import diagnose_script

STAGES = """
    import torch
    from torch.nn import functional as F
    torch.manual_seed(0)
    x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
    teacher = torch.nn.Linear(4, 3)
    opt_t = torch.optim.SGD(teacher.parameters(), 0.1)
    for _ in range(6):
        opt_t.zero_grad()
        F.cross_entropy(teacher(x + 0.1 * torch.randn(16, 4)), y).backward()
        opt_t.step()
    teacher.eval()
    student = SECOND
    opt = torch.optim.SGD(student.parameters(), 0.1)
    for _ in range(6):
        noisy = x + 0.1 * torch.randn(16, 4)
        with torch.no_grad():
            wanted = F.softmax(teacher(noisy), 1)
        loss = F.kl_div(
            F.LOG(student(noisy), 1), wanted, reduction="batchmean")
        opt.zero_grad()
        loss.backward()
        opt.step()
"""


def watched(folder, text, **replaced):
    for name, value in replaced.items():
        text = text.replace(name, value)
    (folder / "train.py").write_text(textwrap.dedent(text))
    seen = diagnose_script(str(folder / "train.py"), iterations=4)
    assert seen.error is None
    return seen


@pytest.mark.parametrize(("log", "second", "expected", "iterations"), [
    ("softmax", "torch.nn.Linear(4, 3)", ["loss-input"], 8),
    ("log_softmax", "torch.nn.Linear(4, 3)", [], 8),
    ("log_softmax", "teacher", [], 4),  # the same network again
], ids=str)
def test_what_is_trained_later_is_watched_as_well(tmp_path, log, second, expected, iterations):
    seen = watched(tmp_path, STAGES, LOG=log, SECOND=second)
    assert [found.id for found in seen.diagnosis.findings] == expected and seen.diagnosis.iterations == iterations
    assert all("F.softmax(student" in found.site.text for found in seen.diagnosis.findings)


PICTURE = {"torch": """
    import torch
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3).eval()
    picture = torch.rand(2, 4)WANTED
    opt = torch.optim.Adam([picture], 0.01)
    for _ in range(6):
        loss = (net(picture) - 1).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
""", "paddle": """
    import paddle
    paddle.seed(0)
    net = paddle.nn.Linear(4, 3)
    net.eval()
    picture = paddle.to_tensor(paddle.rand([2, 4]).numpy()WANTED)
    opt = paddle.optimizer.Adam(0.01, parameters=[picture])
    for _ in range(6):
        loss = (net(picture) - 1).square().mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
"""}
WANTED = {"torch": ".requires_grad_()", "paddle": ", stop_gradient=False"}


@pytest.mark.parametrize("framework", PICTURE)
def test_a_picture_that_is_to_have_no_gradient(tmp_path, framework):
    assert not watched(tmp_path, PICTURE[framework], WANTED=WANTED[framework]).diagnosis.findings
    (found,) = watched(tmp_path, PICTURE[framework], WANTED="").diagnosis.findings
    assert found.id == "held-without-gradient" and found.site.text.startswith("picture = ")
