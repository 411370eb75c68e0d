"""Trainings under autocast: a classifier like BERT, with AdamW, warm-up, clipping and dropout, and its wrong precisions.

On the CPU Paddle has no autocast: what each side asks for is compared, call by call, and where its products, norms and losses are
in half precision on a GPU.
"""

import linecache

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.differences import ALL
from parity.files import InputError
from parity.frameworks.lowering import UNLOWERED
from parity.inputs import integers
from parity.steps.follow import follow

pytestmark = pytest.mark.filterwarnings("ignore:amp_guard can only be enabled", "ignore:User provided device_type",
                                        "ignore:CUDA is not available", "ignore:Detected call of")
WIDTH, WORDS, LENGTH, HEADS = 8, 20, 4, 2


class TorchBert(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(WORDS, WIDTH), torch.nn.Embedding(LENGTH, WIDTH)
        self.q, self.k, self.v, self.out, self.up, self.down = (torch.nn.Linear(WIDTH, WIDTH) for _ in range(6))
        self.norm, self.drop, self.head = torch.nn.LayerNorm(WIDTH), torch.nn.Dropout(0.1), torch.nn.Linear(WIDTH, 3)

    def forward(self, ids):
        x = self.words(ids) + self.places(torch.arange(LENGTH))
        q, k, v = (part(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        weights = torch.softmax(torch.matmul(q, k.transpose(2, 3)) / 2, -1)
        x = self.norm(x + self.drop(self.out(torch.matmul(weights, v).transpose(1, 2).flatten(2))))
        x = self.norm(x + self.drop(self.down(torch.nn.functional.gelu(self.up(x)))))
        return self.head(torch.tanh(x[:, 0]))


class PaddleBert(paddle.nn.Layer):
    def __init__(self, where="nowhere"):
        super().__init__()
        self.words, self.places = paddle.nn.Embedding(WORDS, WIDTH), paddle.nn.Embedding(LENGTH, WIDTH)
        self.q, self.k, self.v, self.out, self.up, self.down = (paddle.nn.Linear(WIDTH, WIDTH) for _ in range(6))
        self.norm, self.drop, self.head = paddle.nn.LayerNorm(WIDTH), paddle.nn.Dropout(0.1), paddle.nn.Linear(WIDTH, 3)
        self.where = where

    def forward(self, ids):
        x = self.words(ids) + self.places(paddle.arange(LENGTH))
        q, k, v = (part(x).unflatten(-1, (HEADS, -1)).transpose([0, 2, 1, 3]) for part in (self.q, self.k, self.v))
        if self.where == "scores":
            with paddle.amp.auto_cast(enable=False):
                scores = paddle.matmul(q.astype("float32"), k.astype("float32").transpose([0, 1, 3, 2])) / 2
        else:
            scores = paddle.matmul(q, k.transpose([0, 1, 3, 2])) / 2
        weights = paddle.nn.functional.softmax(scores, -1)
        x = self.norm(x + self.drop(self.out(paddle.matmul(weights, v).transpose([0, 2, 1, 3]).flatten(2))))
        x = self.norm(x + self.drop(self.down(paddle.nn.functional.gelu(self.up(x)))))
        return self.head(paddle.tanh(x[:, 0]))


def torch_training(device="cpu", dtype=torch.float32):
    def build():
        net = TorchBert().to(dtype)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda call: min(1.0, (call + 1) / 4))

        def step(ids, labels):
            with torch.autocast(device, dtype=torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(net(ids), labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            optimizer.step()
            schedule.step()
            return loss

        return step

    return build


def paddle_training(loss_in="autocast", where="nowhere", decorated=None, **autocast):
    autocast = {"dtype": "bfloat16", **autocast}

    def build():
        net = PaddleBert(where)
        schedule = paddle.optimizer.lr.LambdaDecay(1e-3, lambda call: min(1.0, (call + 1) / 4))
        optimizer = paddle.optimizer.AdamW(schedule, parameters=net.parameters(), weight_decay=0.01,
                                           grad_clip=paddle.nn.ClipGradByGlobalNorm(0.5))
        if decorated is not None:
            net, optimizer = paddle.amp.decorate(net, optimizer, level="O2", dtype="bfloat16", master_weight=decorated)

        def step(ids, labels):
            with paddle.amp.auto_cast(**autocast):
                logits = net(ids)
                if loss_in == "autocast":
                    loss = paddle.nn.functional.cross_entropy(logits, labels)
            if loss_in == "float32":
                loss = paddle.nn.functional.cross_entropy(logits.astype("float32"), labels)
            elif loss_in == "half":
                loss = paddle.nn.functional.cross_entropy(logits, labels)
            optimizer.clear_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            return loss

        return step

    return build


def followed(twin, *, device="cpu", steps=1, **options):
    subject = Training(torch_training(device), twin, [integers(3, LENGTH, high=WORDS), integers(3, high=3)]).subject()
    return follow(subject, steps=steps, draws=2, differences=ALL, **options)


@pytest.mark.parametrize(("twin", "options"), [
    ({}, {"steps": 2}), ({"loss_in": "float32"}, {"mode": "resync", "device": "cuda"}), ({}, {"lane": "float32"}),
    pytest.param({"loss_in": "float32"}, {"lane": "float32"}, marks=pytest.mark.slow),
    pytest.param({"level": "O1", "custom_black_list": {"softmax"}}, {}, marks=pytest.mark.slow),
    pytest.param({}, {"device": "cuda", "steps": 3, "mode": "resync"}, marks=pytest.mark.slow)])
def test_the_right_twin(twin, options):
    """In autocast or cast to float32 behind it, a loss is computed in full; in either lane, and it is said what was left out."""
    report = followed(paddle_training(**twin), **options).report
    assert report.verdict == "same" and UNLOWERED in report.remarks


FAULTS = [pytest.param({"enable": False}, "autocast", "torch.autocast", marks=pytest.mark.slow),  # the twin is nowhere
          ({"loss_in": "half"}, "norms, losses and sums in half precision", "cross_entropy(logits, labels)"),
          ({"level": "O2"}, "autocast", "paddle.amp.auto_cast"),
          ({"where": "scores"}, "products beside autocast", 'paddle.matmul(q.astype("float32")'),
          ({"decorated": False}, "weights", "paddle.amp.decorate"),
          pytest.param({"decorated": None, "level": "O2", "custom_black_list": {"layer_norm"}}, "autocast", "paddle.amp.auto_cast",
                       marks=pytest.mark.slow),
          pytest.param({"dtype": "float16"}, "autocast", "paddle.amp.auto_cast", marks=pytest.mark.slow),
          pytest.param({"custom_black_list": {"linear_v2"}}, "products beside autocast", "unflatten", marks=pytest.mark.slow),
          pytest.param({"custom_white_list": {"softmax"}}, "norms, losses and sums in half precision", "softmax",
                       marks=pytest.mark.slow)]


@pytest.mark.parametrize(("twin", "variable", "line"), FAULTS)
def test_a_wrong_precision_is_found_at_its_line(twin, variable, line):
    first = followed(paddle_training(**twin), device="cuda").report.first
    lines = [linecache.getline(site.file, site.line) for site in (first.reference, first.twin) if site is not None]
    assert first.key.variable == variable and any(line in one for one in lines), str(first)


@pytest.mark.parametrize("master", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_weights_that_a_gpu_alone_makes_half(master):
    """Whether updates are rounded to half precision is told of, though here they are not."""
    found = followed(paddle_training(decorated=master)).report.first
    assert found.key.stage == "census" and ("without master weights" in found.deviation.trouble) is not master


def test_what_is_half_on_both_sides_cannot_be_compared_here():
    subject = Training(torch_training(dtype=torch.bfloat16), paddle_training(decorated=True),
                       [integers(3, LENGTH, high=WORDS), integers(3, high=3)]).subject()
    with pytest.raises(InputError, match="expected weights in full precision, found bfloat16 on both sides"):
        follow(subject, steps=1)
