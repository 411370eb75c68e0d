"""Losses: reductions, ignored labels, smoothing, weights, and losses as users write them."""

from exams.verdicts.program import Program

CLASSES, NUMBERS, TRUTH = "normal(6, 4), integers(6, high=5)", "normal(6, 4), normal(6, 5)", "normal(6, 4), uniform(6, 5)"


def loss(name: str, line: str, *mistakes: str, paddle: str = "", inputs: str = NUMBERS, built: str = "", **more) -> Program:
    """A loss of `y`, what a linear layer gave, and the target `t`."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(4, 5)\n{built}\ndef forward(self, x, t):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(line), text(paddle) if paddle else "", mistakes, **more)


PROGRAMS = [
    loss("squared error", "F.mse_loss(y, t)", "mse_loss(y, t) => mse_loss(y, t, reduction='sum')", "mse_loss => l1_loss"),
    loss("squared error, of each", "F.mse_loss(y, t, reduction='none').sum(1)", ".sum(1) => .mean(1)"),
    loss("absolute error", "F.l1_loss(y, t, reduction='sum')", "reduction='sum' => reduction='mean'"),
    loss("smooth absolute error", "F.smooth_l1_loss(y, t, beta=1.0)", "F.smooth_l1_loss(y, t) => F.l1_loss(y, t)", paddle="F.smooth_l1_loss(y, t)"),
    loss("huber with another delta", "F.huber_loss(y, t, delta=0.5)", "delta=0.5, => delta=2.0,", paddle="F.smooth_l1_loss(y, t, delta=0.5, is_huber=True)",
         known={"float32 delta": 1e-6}),
    loss("cross entropy", "F.cross_entropy(y, t)", "cross_entropy(y, t) => cross_entropy(y / 2, t)", "cross_entropy(y, t) => cross_entropy(F.softmax(y), t)", inputs=CLASSES),
    loss("cross entropy, of each", "F.cross_entropy(y, t, reduction='none')", "reduction='none') => reduction='none') * 2", inputs=CLASSES),
    loss("cross entropy, the sum of all", "F.cross_entropy(y, t, reduction='sum') / 6", "/ 6 => / 5", inputs=CLASSES),
    loss("cross entropy with an ignored label", "F.cross_entropy(y, t, ignore_index=2)", "/ (t != 2).astype(y.dtype).sum() => / 6", "ignore_index=2 => ignore_index=3", inputs=CLASSES,
         paddle="F.cross_entropy(y, t, ignore_index=2, reduction='none').sum() / (t != 2).astype(y.dtype).sum()"),
    loss("cross entropy with weights", "F.cross_entropy(y, t, weight=torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0], dtype=y.dtype), reduction='sum')", "2.0, 0.5 => 0.5, 2.0", inputs=CLASSES,
         paddle="F.cross_entropy(y, t, weight=paddle.to_tensor([1.0, 2.0, 0.5, 1.0, 3.0], dtype=y.dtype), reduction='sum')"),
    loss("cross entropy, smoothed", "F.cross_entropy(y, t, label_smoothing=0.1)", "label_smoothing=0.1 => label_smoothing=0.2", inputs=CLASSES, known={"float32 smoothing": 1e-6}),
    loss("cross entropy of soft labels", "F.cross_entropy(y, F.softmax(t.detach(), 1))", "F.softmax(t.detach(), 1) => F.softmax(2 * t.detach(), 1)", paddle="F.cross_entropy(y, F.softmax(t.detach(), 1), soft_label=True)"),
    loss("smoothed by hand", "-(F.one_hot(t, 5).to(y.dtype) * 0.9 + 0.02) @ F.log_softmax(y, 1).T", "0.9 + 0.02 => 0.9 + 0.025", inputs=CLASSES,
         paddle="-(F.one_hot(t, 5).astype(y.dtype) * 0.9 + 0.02) @ F.log_softmax(y, 1).T"),
    loss("negative likelihood", "F.nll_loss(F.log_softmax(y, 1), t)", "F.log_softmax(y, 1) => F.softmax(y, 1)", inputs=CLASSES),
    # Not reduced by Paddle, which then writes over memory (docs/differences.md: nll_loss_memory).
    loss("negative likelihood with an ignored label", "F.nll_loss(F.log_softmax(y, 1), t, ignore_index=0, reduction='none').sum() / (t != 0).sum()", "ignore_index=0, => ",
         inputs="normal(6, 4), np.array([0, 1, 2, 0, 3, 4])", paddle="F.nll_loss(F.log_softmax(y, 1), t, ignore_index=0, reduction='none').sum() / (t != 0).sum()"),
    loss("focal", "((1 - torch.exp(-F.cross_entropy(y, t, reduction='none'))) ** 2 * F.cross_entropy(y, t, reduction='none')).mean()", "** 2 => ** 1", inputs=CLASSES),
    loss("binary with logits", "F.binary_cross_entropy_with_logits(y, t.detach())", "_with_logits(y, t => _with_logits(-y, t", inputs=TRUTH),
    loss("binary with positive weights", "F.binary_cross_entropy_with_logits(y, t.detach(), pos_weight=torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=y.dtype))", "2.0, 3.0 => 3.0, 2.0", inputs=TRUTH,
         paddle="F.binary_cross_entropy_with_logits(y, t.detach(), pos_weight=paddle.to_tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=y.dtype))"),
    loss("binary of a sigmoid", "F.binary_cross_entropy(torch.sigmoid(y), t.detach(), reduction='none')", "F.sigmoid(y), t.detach() => F.sigmoid(y), 1 - t.detach()", inputs=TRUTH,
         paddle="F.binary_cross_entropy(F.sigmoid(y), t.detach(), reduction='none')", known={"an epsilon of 1e-12": 1e-7}),
    loss("divergence", "F.kl_div(F.log_softmax(y, 1), F.softmax(t.detach(), 1), reduction='batchmean')", "'batchmean' => 'mean'"),
    loss("divergence of Jensen and Shannon", "self.js(F.softmax(y, 1), F.softmax(t, 1))", "m = (p + q) / 2 => m = (p * q).sqrt()", "0.5 * (p * => 1.0 * (p *",
         built="def js(self, p, q):\n    m = (p + q) / 2\n    return 0.5 * (p * (p / m).log()).sum() + 0.5 * (q * (q / m).log()).sum()"),
    loss("distillation", "F.kl_div(F.log_softmax(y / 4, 1), F.softmax(t.detach() / 4, 1), reduction='batchmean') * 16", "* 16 => * 4"),
    loss("hinge of a discriminator", "F.relu(1 - y).mean() + F.relu(1 + t).mean()", "F.relu(1 - y) => F.relu(-y)"),
    loss("least squares of a discriminator", "0.5 * ((y - 1) ** 2).mean() + 0.5 * (t ** 2).mean()", "(y - 1) ** 2 => y ** 2"),
    loss("margins", "F.margin_ranking_loss(y, t, torch.sign(t.detach()), margin=0.2)", "margin=0.2 => margin=0.0"),
    loss("cosine embedding", "F.cosine_embedding_loss(y, t, torch.tensor([1, -1, 1, 1, -1, 1]), margin=0.1)", "[1, -1, 1, 1, => [1, 1, 1, 1,",
         paddle="F.cosine_embedding_loss(y, t, paddle.to_tensor([1, -1, 1, 1, -1, 1]), margin=0.1)", known={"an epsilon of its own": 1e-6}),
    loss("triplets", "F.triplet_margin_loss(y, t, y.flip(0), margin=1.0)", "margin=1.0 => margin=0.1", paddle="F.triplet_margin_loss(y, t, y.flip([0]), margin=1.0)", known={"an epsilon of its own": 1e-5}),
    loss("contrastive", "F.cross_entropy(F.normalize(y, dim=1) @ F.normalize(t, dim=1).T / 0.1, torch.arange(6))", "/ 0.1 => / 0.07", "F.normalize(t, axis=1) => t"),
    loss("poisson", "F.poisson_nll_loss(y, t.exp())", "F.poisson_nll_loss(y => F.poisson_nll_loss(2 * y"),
    loss("gaussian likelihood", "(0.5 * (y.exp() * (t - y) ** 2 - y)).mean()", "y.exp() => (-y).exp()"),
    loss("soft margin", "F.soft_margin_loss(y, torch.sign(t.detach()))", "F.soft_margin_loss(y => F.soft_margin_loss(-y"),
    loss("quantile loss", "torch.maximum(0.9 * (t - y), -0.1 * (t - y)).mean()", "0.9 => 0.1"),
    loss("dice", "1 - 2 * (torch.sigmoid(y) * t).sum() / (torch.sigmoid(y).sum() + t.sum() + 1)", "t.sum() + 1) => t.sum())", inputs=TRUTH,
         paddle="1 - 2 * (F.sigmoid(y) * t).sum() / (F.sigmoid(y).sum() + t.sum() + 1)"),
    loss("total variation", "(y[:, 1:] - y[:, :-1]).abs().sum() + (y[1:] - y[:-1]).abs().sum() + t.mean()", "(y[1:] - y[:-1]).abs() => (y[1:] - y[:-1]).square()"),
    loss("gram matrices", "((y.T @ y - t.T @ t) / 30).pow(2).mean()", "/ 30 => / 25"),
    loss("masked mean", "((y - t) ** 2 * (t > 0)).sum() / (t > 0).sum()", "/ (t > 0).astype(y.dtype).sum() => / 30",
         paddle="((y - t) ** 2 * (t > 0).astype(y.dtype)).sum() / (t > 0).astype(y.dtype).sum()"),
    loss("several terms", "{'mse': F.mse_loss(y, t), 'l1': F.l1_loss(y, t), 'total': F.mse_loss(y, t) + 0.1 * F.l1_loss(y, t)}", "+ 0.1 * => + 0.01 *"),
    loss("a penalty on weights", "F.mse_loss(y, t) + 1e-2 * sum((p ** 2).sum() for p in self.parameters())", "1e-2 => 1e-4", "self.parameters() => [self.fc.weight]"),
    Program("connectionist", "normal(6, 2, 4), integers(2, 3, low=1, high=5)", """
self.fc = nn.Linear(4, 5)
def forward(self, x, t):
    y = F.log_softmax(self.fc(x), -1)
    return F.ctc_loss(y, t, torch.tensor([6, 6]), torch.tensor([3, 3]), reduction="sum")
""", """
self.fc = nn.Linear(4, 5)
def forward(self, x, t):
    y = self.fc(x)
    return F.ctc_loss(y, t.astype("int32"), paddle.to_tensor([6, 6]), paddle.to_tensor([3, 3]), reduction="sum")
""", ["[3, 3] => [3, 2]"], known={"warpctc": 1e-5}),
    Program("pixels with ignored labels", "normal(2, 3, 4, 4), integers(2, 4, 4, high=4)", """
self.conv = nn.Conv2d(3, 3, 1)
def forward(self, x, t):
    t = torch.where(t == 3, torch.full_like(t, 255), t)
    return F.cross_entropy(self.conv(x), t, ignore_index=255, reduction="sum")
""", """
self.conv = nn.Conv2D(3, 3, 1)
def forward(self, x, t):
    t = paddle.where(t == 3, paddle.full_like(t, 255), t)
    return F.cross_entropy(self.conv(x), t, ignore_index=255, reduction="sum", axis=1)
""", ['ignore_index=255, reduction="sum" => ignore_index=255, reduction="mean"', "self.conv(x), t => self.conv(x).transpose([0, 1, 3, 2]), t"]),
]
