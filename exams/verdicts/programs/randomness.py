"""Programs that draw random numbers: layers, functions, noise, sampling, permutations."""

from exams.verdicts.program import Program

ROWS, PICTURE = "normal(6, 6)", "normal(3, 4, 5, 5)"
TRAIN, EVAL = 'modes=["train"]', 'modes=["eval"]'


def drawn(name: str, line: str, *mistakes: str, paddle: str = "", built: str = "", inputs: str = ROWS, twin_built: str = "", **more) -> Program:
    """A line behind a linear layer; `y` is what it gave."""
    def text(extra: str, line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\n{extra}\ndef forward(self, x):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(built, line), text(twin_built or built, paddle) if paddle else "", mistakes, **more)


PROGRAMS = [
    drawn("dropout layer", "self.drop(y)", "self.drop = nn.Dropout(0.3) => self.drop = nn.Dropout(0.5)", "self.drop(y) => self.drop(y) * 0.9",
          "self.drop(y) => y", built="self.drop = nn.Dropout(0.3)"),
    drawn("dropout function", "F.dropout(y, 0.5, self.training)", "training=self.training) => training=self.training) ** 2", "0.5, training=self.training => 0.5, self.training",
          "training=self.training => training=False", "training) => training, mode='downscale_in_infer')", paddle="F.dropout(y, 0.5, training=self.training)"),
    drawn("dropout that eval keeps", "F.dropout(y, 0.5)", "F.dropout(y, 0.5) => F.dropout(y, 0.5, training=self.training)", options=EVAL),
    drawn("dropout before and behind", "self.two(self.drop(torch.tanh(self.drop(y))))", "paddle.tanh(self.drop(y)) => paddle.tanh(y)",
          "self.two(self.drop( => self.two((", built="self.drop = nn.Dropout(0.4)\nself.two = nn.Linear(5, 3)"),
    drawn("a mistake behind a dropout", "torch.tanh(self.drop(y)).mean(1)", "paddle.tanh => F.sigmoid", ".mean(1) => .mean(0)", built="self.drop = nn.Dropout(0.5)"),
    Program("dropout of channels", PICTURE, """
self.conv = nn.Conv2d(4, 4, 1)
self.drop = nn.Dropout2d(0.5)
def forward(self, x):
    return self.drop(self.conv(x))
""", "", ["nn.Dropout2D(0.5) => nn.Dropout(0.5)", "nn.Dropout2D(0.5) => nn.Dropout2D(0.2)"]),
    drawn("alpha dropout", "F.alpha_dropout(y, 0.3, self.training)", "0.3, self => 0.1, self"),
    drawn("batch norm behind a dropout", "self.norm(self.drop(y))", "momentum=0.8 => momentum=0.9", paddle="self.norm(self.drop(y))",
          built="self.drop = nn.Dropout(0.3)\nself.norm = nn.BatchNorm1d(5, momentum=0.2)",
          twin_built="self.drop = nn.Dropout(0.3)\nself.norm = nn.BatchNorm1D(5, momentum=0.8)", known={"norm_epsilon": 1e-6, ".running_var": 0.0}),
    drawn("added noise", "y + 0.1 * torch.randn_like(y) if self.training else y", "0.1 * => 0.2 *", "if self.training else => if not self.training else",
          paddle="y + 0.1 * paddle.randn(y.shape).astype(y.dtype) if self.training else y"),
    drawn("multiplied noise", "y * (1 + torch.rand(y.shape, dtype=y.dtype))", "1 + => 2 *", paddle="y * (1 + paddle.rand(y.shape, dtype=y.dtype))", options=TRAIN),
    Program("a vae", ROWS, """
self.encode = nn.Linear(6, 8)
self.decode = nn.Linear(4, 6)
def forward(self, x):
    mean, logvar = self.encode(x).chunk(2, 1)
    z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
    kl = -0.5 * (1 + logvar - mean ** 2 - logvar.exp()).sum(1)
    return self.decode(z), kl
""", """
self.encode = nn.Linear(6, 8)
self.decode = nn.Linear(4, 6)
def forward(self, x):
    mean, logvar = self.encode(x).chunk(2, 1)
    z = mean + paddle.randn(mean.shape, dtype=mean.dtype) * paddle.exp(0.5 * logvar)
    kl = -0.5 * (1 + logvar - mean ** 2 - logvar.exp()).sum(1)
    return self.decode(z), kl
""", ["paddle.exp(0.5 * logvar) => paddle.exp(logvar)", "kl = -0.5 * => kl = -1.0 *", "self.decode(z), kl => self.decode(mean), kl",
      "mean, logvar = => logvar, mean ="]),
    drawn("drop path", "x[:, :5] + y * (torch.rand(6, 1, dtype=y.dtype) >= 0.3).to(y.dtype) / 0.7", "/ 0.7 => / 0.3", ">= 0.3 => >= 0.5",
          paddle="x[:, :5] + y * (paddle.rand([6, 1], dtype=y.dtype) >= 0.3).astype(y.dtype) / 0.7", options=TRAIN),
    drawn("bernoulli", "y * torch.bernoulli(torch.full_like(y, 0.4))", "0.4 => 0.6", paddle="y * paddle.bernoulli(paddle.full_like(y, 0.4))", options=TRAIN),
    drawn("bernoulli of the network's own rates", "x[:, :5] * torch.bernoulli(torch.sigmoid(y)).detach()", "F.sigmoid(y) => F.sigmoid(2 * y)",
          paddle="x[:, :5] * paddle.bernoulli(F.sigmoid(y)).detach()", options=TRAIN),
    drawn("gumbel softmax", "F.gumbel_softmax(y, tau=0.7)", "temperature=0.7 => temperature=1.0", paddle="F.gumbel_softmax(y, temperature=0.7)", options=TRAIN),
    drawn("hard gumbel softmax", "F.gumbel_softmax(y, hard=True) @ self.book.weight", "hard=True => hard=False", built="self.book = nn.Embedding(5, 3)", options=TRAIN),
    drawn("gumbel by hand", "F.softmax(y - torch.log(-torch.log(torch.rand(y.shape, dtype=y.dtype))), -1)", "y - paddle.log => y + paddle.log",
          paddle="F.softmax(y - paddle.log(-paddle.log(paddle.rand(y.shape, dtype=y.dtype))), -1)", options=TRAIN),
    drawn("a permutation of the batch", "y + x[torch.randperm(6)][:, :5]", "[:, :5] => [:, 1:]", options=TRAIN),
    drawn("mixup", "self.mix(y, 0.3)", "(1 - w) => w", paddle="self.mix(y, 0.3)", options=TRAIN,
          built="def mix(self, y, w):\n    return w * y + (1 - w) * y[torch.randperm(y.shape[0])]",
          twin_built="def mix(self, y, w):\n    return w * y + (1 - w) * y[paddle.randperm(y.shape[0])]"),
    drawn("random words", "self.words(torch.randint(0, 9, (6,))) + y", "0, 9 => 0, 5", paddle="self.words(paddle.randint(0, 9, [6])) + y",
          built="self.words = nn.Embedding(9, 5)", options=TRAIN),
    drawn("sampling from a softmax", "self.words(torch.multinomial(F.softmax(y, -1).detach(), 1).squeeze(1)) + y", "F.softmax(y, -1) => F.softmax(3 * y, -1)",
          paddle="self.words(paddle.multinomial(F.softmax(y, -1).detach(), 1).squeeze(1)) + y", built="self.words = nn.Embedding(9, 5)", options=TRAIN),
    drawn("normal numbers with a mean", "y + torch.normal(0.5, 0.2, size=(6, 5)).to(y.dtype)", "0.5, 0.2 => 0.2, 0.5",
          paddle="y + paddle.normal(0.5, 0.2, shape=[6, 5]).astype(y.dtype)", options=TRAIN),
    drawn("uniform numbers in a range", "y * torch.empty_like(y).uniform_(0.5, 1.5)", "min=0.5 => min=0.0", paddle="y * paddle.uniform(y.shape, dtype=y.dtype, min=0.5, max=1.5)", options=TRAIN),
    drawn("exponential numbers", "y / (1 + torch.empty_like(y).exponential_(2.0))", "2.0 => 0.5", paddle="y / (1 + paddle.empty_like(y).exponential_(2.0))", options=TRAIN),
    drawn("noise that only the reference makes", "y + 0.01 * torch.randn_like(y)", "y + 0.01 * paddle.randn(y.shape, dtype=y.dtype) => y",
          paddle="y + 0.01 * paddle.randn(y.shape, dtype=y.dtype)", options=TRAIN),
    drawn("noise of another kind", "y + torch.rand(y.shape, dtype=y.dtype)", "paddle.rand( => paddle.randn(", paddle="y + paddle.rand(y.shape, dtype=y.dtype)", options=TRAIN),
    Program("a diffusion step", "normal(4, 6)", """
self.fc = nn.Linear(7, 6)
def forward(self, x):
    t = torch.randint(1, 10, (4, 1)).to(x.dtype) / 10
    noise = torch.randn_like(x)
    noisy = (1 - t).sqrt() * x + t.sqrt() * noise
    return F.mse_loss(self.fc(torch.cat([noisy, t], 1)), noise)
""", """
self.fc = nn.Linear(7, 6)
def forward(self, x):
    t = paddle.randint(1, 10, [4, 1]).astype(x.dtype) / 10
    noise = paddle.randn(x.shape, dtype=x.dtype)
    noisy = (1 - t).sqrt() * x + t.sqrt() * noise
    return F.mse_loss(self.fc(paddle.concat([noisy, t], 1)), noise)
""", ["(1 - t).sqrt() * x + t.sqrt() * noise => (1 - t) * x + t * noise", "[noisy, t], 1)), noise) => [noisy, t], 1)), x)", "randint(1, 10 => randint(0, 10"]),
    Program("masked patches", "normal(2, 8, 4)", """
self.fc = nn.Linear(4, 4)
self.token = nn.Parameter(torch.zeros(4))
def forward(self, x):
    keep = torch.rand(2, 8, dtype=x.dtype).argsort(1)[:, :5]
    seen = torch.gather(x, 1, keep.unsqueeze(-1).expand(2, 5, 4))
    return self.fc(seen), self.token
""", """
self.fc = nn.Linear(4, 4)
self.token = self.create_parameter([4], is_bias=True)
def forward(self, x):
    keep = paddle.rand([2, 8], dtype=x.dtype).argsort(1)[:, :5]
    seen = paddle.take_along_axis(x, keep.unsqueeze(-1).expand([2, 5, 4]), 1)
    return self.fc(seen), self.token
""", ["argsort(1)[:, :5] => argsort(1)[:, 3:]", "argsort(1) => argsort(1, descending=True)"], options=TRAIN),
    drawn("python's own generator", "y * random.random() if self.training else y", "random.random() => random.uniform(0, 2)", built="import random", options=TRAIN),
    drawn("numpy's generator", "y + torch.as_tensor(np.random.randn(5)).to(y.dtype)", "np.random.randn(5) => np.random.rand(5)",
          paddle="y + paddle.to_tensor(np.random.randn(5)).astype(y.dtype)", built="import numpy as np", options=TRAIN),
    drawn("a crop chosen by python", "self.crop(y)", "start + 3 => start + 2", built="import random\ndef crop(self, y):\n    start = random.randint(0, 2)\n    return y[:, start:start + 3].sum(1)", options=TRAIN),
    drawn("dropout in a loop", "self.deep(y)", "range(3) => range(2)", built="self.two = nn.Linear(5, 5)\nself.drop = nn.Dropout(0.2)\ndef deep(self, y):\n    for _ in range(3):\n        y = y + self.drop(self.two(y))\n    return y"),
    Program("dropout inside attention", "normal(2, 5, 6)", """
self.q, self.k, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
self.drop = nn.Dropout(0.1)
def forward(self, x):
    weights = F.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 6 ** 0.5, -1)
    return self.drop(weights) @ self.v(x)
""", """
self.q, self.k, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
self.drop = nn.Dropout(0.1)
def forward(self, x):
    weights = F.softmax(self.q(x) @ self.k(x).transpose([0, 2, 1]) / 6 ** 0.5, -1)
    return self.drop(weights) @ self.v(x)
""", ["self.drop(weights) @ self.v(x) => weights @ self.drop(self.v(x))", "/ 6 ** 0.5, -1 => / 6 ** 0.5, 1"]),
    Program("a transformer layer with dropout", "normal(2, 5, 8)", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.1, activation="relu", batch_first=True)
self.layer.self_attn.dropout = 0.0
def forward(self, x):
    return self.layer(x)
""", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.1, activation="relu", attn_dropout=0.0)
def forward(self, x):
    return self.layer(x)
""", ['activation="relu" => activation="gelu"', "dropout=0.1 => dropout=0.2"], known={"norm_epsilon": 1e-6}),
    drawn("randomised relu", "self.act(y)", "0.2, 0.4 => 0.1, 0.4", built="self.act = nn.RReLU(0.2, 0.4)", options=EVAL, known={"float32 bounds": 1e-6}),
    drawn("noise in another order", "torch.cat([y + torch.randn_like(y), y * torch.rand(y.shape, dtype=y.dtype)], 1)", "y + paddle.randn => y - paddle.randn",
          paddle="paddle.concat([y + paddle.randn(y.shape, dtype=y.dtype), y * paddle.rand(y.shape, dtype=y.dtype)], 1)", options=TRAIN),
]
