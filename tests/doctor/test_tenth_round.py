"""What the tenth blind round has shown, and whether what is stored of the rounds fits together."""

from __future__ import annotations

import ast
import textwrap

import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from exams.doctor import blind
from parity.doctor.finding import ERROR, KINDS, WARNING
from parity.doctor.script import diagnose_script
from tests.doctor.rounds import found, line, script, trained


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


# --- what is stored -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", blind.ROUNDS, ids=lambda one: one.name)
def test_what_is_stored_of_a_round_fits_its_cases(one):
    for cases, rows in ((one.faults, one.first_run.get("faults", [])), (one.healthy, one.first_run["healthy"])):
        assert [(case.script, case.name) for case in cases] == [(row["script"], row["name"]) for row in rows]
    for row in one.first_run.get("faults", []):
        assert row["found"] <= bool(row["said"]) and row["named"] <= row["found"] and row["placed"] <= row["named"]


@pytest.mark.parametrize("one", blind.ROUNDS, ids=lambda one: one.name)
def test_each_case_of_a_round_is_a_program_and_asks_for_kinds_and_lines_that_there_are(one):
    for case in (*one.faults, *one.healthy):
        ast.parse(case.text)
        assert all(1 <= line <= len(case.text.splitlines()) for line in case.at), case.name
        assert {*case.ids, *case.declared} <= KINDS.keys(), case.name
    scripts = [case.script for case in one.faults]
    assert all(case.edits for case in one.faults) and (one.name != "tenth" or len(set(scripts)) == len(scripts))


# --- what losses are given ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize("name", ["cosine_embedding_loss", "margin_ranking_loss", "hinge_embedding_loss", "soft_margin_loss"])
def test_labels_of_0_and_1_where_the_loss_wants_signs(name, wrong):
    net, data, same = nn.Linear(6, 4), torch.randn(16, 6), torch.arange(16) % 2

    def loss(net):
        target = same.float() if wrong else 2 * same.float() - 1
        one, other = net(data), net(data.roll(1, 0))
        if name == "cosine_embedding_loss":
            value = F.cosine_embedding_loss(one, other, target)
        elif name == "margin_ranking_loss":
            value = F.margin_ranking_loss(one[:, 0], other[:, 0], target=target)
        else:
            value = getattr(F, name)(one[:, 0], target)
        return value

    said = trained(net, loss)
    assert ("loss-input" in said) is wrong
    assert not wrong or "-1 and 1" in said["loss-input"].message


@pytest.mark.parametrize(("end", "logarithm", "wrong"), [
    (F.softplus, True, True), (torch.exp, True, True), (F.softplus, False, False), (nn.Identity(), True, False)])
def test_a_rate_where_its_logarithm_belongs(end, logarithm, wrong):
    net, data = nn.Linear(6, 1), torch.randn(16, 6)
    counts = torch.poisson(torch.ones(16))
    said = trained(net, lambda net: F.poisson_nll_loss(end(net(data)).squeeze(1), counts, log_input=logarithm))
    assert ("loss-input" in said) is wrong
    assert not wrong or "log_input=False" in said["loss-input"].remedy


@pytest.mark.parametrize("how", ["several", "one", "shares", "binary"])
def test_several_labels_in_a_row_of_a_cross_entropy(how):
    net, data = nn.Linear(6, 4), torch.randn(16, 6)
    labels = (torch.rand(16, 4) < 0.5).float()
    if how == "one":
        labels = F.one_hot(torch.arange(16) % 4, 4).float()
    elif how == "shares":
        labels = labels / labels.sum(1, keepdim=True).clamp(min=1)
    said = trained(net, lambda net: (F.binary_cross_entropy_with_logits if how == "binary" else F.cross_entropy)(net(data), labels))
    assert ("loss-input" in said) is (how == "several")
    assert how != "several" or said["loss-input"].severity == WARNING  # a likelihood of counts has such rows


@pytest.mark.parametrize("most", [255.0, 1.0])
def test_masks_of_0_and_255(most):
    net, data = nn.Conv2d(1, 1, 3, padding=1), torch.randn(4, 1, 8, 8)
    said = trained(net, lambda net: F.binary_cross_entropy_with_logits(net(data), most * (data > 0).float()))
    assert ("loss-input" in said) is (most > 1)
    assert most == 1 or "255" in said["loss-input"].remedy


@pytest.mark.parametrize("softmax", [True, False])
def test_scores_of_which_no_softmax_is_taken(softmax):
    net, data, labels = paddle.nn.Linear(6, 4), paddle.randn([16, 6]), paddle.arange(16) % 4
    optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())

    def step():
        scores = net(data)
        given = paddle.nn.functional.softmax(scores) if softmax else scores
        paddle.nn.functional.cross_entropy(given, labels, use_softmax=False).backward()
        optimizer.step()
        optimizer.clear_grad()

    said = found(step, net, optimizer)
    assert ("loss-input" in said) is not softmax
    assert softmax or ("nonfinite" not in said and "nonfinite" in said["loss-input"].evidence)  # the NaN is what comes of it


SORTED = """
    import numpy as np
    import paddle
    from paddle import nn
    paddle.seed(0)
    np.random.seed(0)
    labels = np.repeat(np.arange(6), 40)
    rows = (labels[:, None] + np.random.randn(240, 4)).astype("float32")
    network = nn.Linear(4, 6)
    model = paddle.Model(network)
    model.prepare(paddle.optimizer.SGD(0.01, parameters=network.parameters()), nn.CrossEntropyLoss())
    data = paddle.io.TensorDataset([paddle.to_tensor(rows), paddle.to_tensor(labels[:, None])])
    model.fit(data, batch_size=20, epochs=2, shuffle={shuffle}, verbose=0)
"""


@pytest.mark.parametrize("shuffle", [False, True])
def test_classes_in_order_where_the_framework_fits(tmp_path, shuffle):
    said = script(tmp_path, SORTED, shuffle=shuffle)
    assert ("labels-sorted" in said) is not shuffle
    assert shuffle or line(said["labels-sorted"]).startswith("model.fit(data")


@pytest.mark.parametrize("in_turn", [True, False])
def test_one_class_in_each_loss_and_two_in_a_step_are_no_order(in_turn):
    """Of a judge: what is real has the label 1, what is made 0."""
    net, number = nn.Linear(4, 2), iter(range(99))

    def loss(net):
        one = F.cross_entropy(net(torch.randn(8, 4) + 1), torch.full((8,), next(number) % 2 if in_turn else 1))
        return one if in_turn else one + F.cross_entropy(net(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long))

    assert ("labels-sorted" in trained(net, loss, 6)) is in_turn


# --- zeros that are meant, and zeros that are not -------------------------------------------------------------------------


class Recurrent(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.way, self.cell, self.first, self.out = way, nn.GRUCell(2, 6), nn.Linear(2, 6), nn.Linear(6, 1)

    def forward(self, x):
        state = start = torch.tanh(self.first(x[:, 0]))
        for t in range(x.shape[1]):
            if self.way == "dropped":
                state = self.cell(x[:, t])
            else:
                state = self.cell(torch.zeros_like(x[:, t]) if self.way == "silent" else x[:, t], hx=state)
        return self.out(state + start)


@pytest.mark.parametrize(("way", "severity"), [("dropped", ERROR), ("silent", WARNING), ("whole", None)])
def test_a_recurrence_that_is_given_no_state_or_no_input(way, severity):
    net, data = Recurrent(way), torch.randn(8, 5, 2)
    said = trained(net, lambda net: net(data).square().mean())
    assert (said["gradient-zero"].severity if "gradient-zero" in said else None) == severity
    if severity == ERROR:
        assert "no state" in said["gradient-zero"].message and "self.cell(x[:, t])" in line(said["gradient-zero"])


@pytest.mark.parametrize("tolerance", [1e-7, 1e3])
def test_an_optimizer_that_searches_and_has_nothing_left_to_do(tolerance):
    net, data = nn.Linear(4, 1), torch.randn(32, 4)
    wanted = data @ torch.randn(4, 1) + 0.1 * torch.randn(32, 1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=40, line_search_fn="strong_wolfe", tolerance_grad=tolerance)

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(net(data), wanted)
        loss.backward()
        return loss

    assert ("unchanged" in found(lambda: optimizer.step(closure), net, optimizer)) is (tolerance > 1)


PHASES = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    class Staged(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.first, self.second, self.spare = nn.Linear(6, 8), nn.Linear(8, 6), nn.Linear(8, 2), nn.Linear(8, 2)
        def forward(self, x, phase):
            return (self.first if phase == 1 else self.second)(torch.relu(self.body(x)))
    net = Staged()
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for number in range(60):
        x, phase = torch.randn(16, 6), 1 if number < 30 else {phase}
        optimizer.zero_grad()
        net(x, phase).square().mean().backward()
        optimizer.step()
"""


@pytest.mark.parametrize("phase", [1, 2])
def test_a_head_that_runs_in_the_second_phase_has_its_turn_after_the_watch(tmp_path, phase):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(PHASES).format(phase=phase))
    idle = {one.about for one in diagnose_script(str(path)).diagnosis.findings if one.id == "module-never-run"}
    assert idle == ({"net.second", "net.spare"} if phase == 1 else {"net.spare"})
