"""What nobody thought of at first: promotion and overflow, ties, empty rows, NaN in a gradient, hooks, and modules used oddly."""

from exams.verdicts.program import Program


def line(name: str, torch: str, *mistakes: str, paddle: str = "", inputs: str = "normal(4, 6)", built: str = "", names: str = "x",
         **more) -> Program:
    """One line, returned, of `y`, what a linear layer made of x."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\n{built}\ndef forward(self, {names}):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(torch), text(paddle) if paddle else "", mistakes, **more)


IDS = "normal(4, 6), integers(4, 5, high=9)"
TIED = "self.register_buffer('steps', torch.tensor([2., 1., 2., 1., 2.]))"

PROGRAMS = [
    # --- promotion, overflow ---
    line("integers times a float", "y * t * 0.5", "y * t.astype(y.dtype) * 0.5 => y * (t * 0.5).astype('int64').astype(y.dtype)", inputs=IDS,
         names="x, t", paddle="y * t.astype(y.dtype) * 0.5"),
    line("integers divided", "(t / 4).to(y.dtype) + y", "(t / 4) => (t // 4)", inputs=IDS, names="x, t",
         paddle="(t / 4).astype(y.dtype) + y"),
    line("a sum of truth values", "(y > 0).sum(1), y", "y > 0 => y >= 0.1"),
    line("int32 that overflows", "(t.to(torch.int32) * 1000000000, y)", "* 1000000000 => * 100000000", inputs=IDS, names="x, t",
         paddle="(t.astype('int32') * 1000000000, y)"),
    line("bits", "(t & 5, t | 2, t ^ 3, y)", "full_like(t, 5) => full_like(t, 4)", "t ^ => t |", inputs=IDS, names="x, t",
         paddle="(t & paddle.full_like(t, 5), t | paddle.full_like(t, 2), t ^ paddle.full_like(t, 3), y)"),
    line("logic of masks", "y * ((y > 0) & ~(y > 1)).to(y.dtype)", "& ~(y > 1) => | ~(y > 1)",
         paddle="y * ((y > 0) & ~(y > 1)).astype(y.dtype)"),
    line("one number of no axis", "y * y.mean() + torch.tensor(2.0, dtype=y.dtype)", "2.0, dtype => 2.5, dtype",
         paddle="y * y.mean() + paddle.to_tensor(2.0, dtype=y.dtype)"),
    # --- ties, empties, NaN ---
    line("the first of equals", "(torch.argmax((y > 0).long() * 0 + t, 1), y)", "+ t, 1 => + t.flip([1]), 1", inputs=IDS, names="x, t",
         paddle="(paddle.argmax((y > 0).astype('int64') * 0 + t, 1), y)"),
    line("a stable order of equals", "y[:, torch.argsort(self.steps, stable=True)]", "stable=True => stable=True, descending=True", built=TIED),
    line("nothing joined to something", "torch.cat([y[:0], y, y[:0] * 2])", "y[:0], y, => y[:1], y,", paddle="paddle.concat([y[:0], y, y[:0] * 2])"),
    line("the sum of nothing", "(y, y[:, :0].sum(1))", "y[:, :0] => y[:, :1]"),
    line("a mean without NaN", "torch.nanmean(torch.where(y > 0.5, torch.full_like(y, float('nan')), y), 1)",
         "paddle.nanmean( => paddle.nansum("),
    line("NaN in a branch not taken", "torch.where(y > -9, y, torch.log(torch.clamp(-y, min=1.0)))", "y > -9 => y > 0",
         paddle="paddle.where(y > -9, y, paddle.log(paddle.clip(-y, min=1.0)))"),
    line("a row that is masked whole", "torch.nan_to_num(torch.softmax(torch.where(x[:, :1] > 0, y, torch.full_like(y, -float('inf'))), -1)).detach() + y",
         "x[:, :1] > 0 => x[:, :1] > -9", "F.softmax( => F.sigmoid(0 * ",
         paddle="paddle.nan_to_num(F.softmax(paddle.where(x[:, :1] > 0, y, paddle.full_like(y, -float('inf'))), -1)).detach() + y"),
    line("scattered on the same place", "torch.zeros(4, 3, dtype=y.dtype).scatter_add(1, t % 3, y)", "t % 3, y, 1 => t % 2, y, 1",
         inputs=IDS, names="x, t", paddle="paddle.put_along_axis(paddle.zeros([4, 3], y.dtype), t % 3, y, 1, reduce='add')"),
    line("logs of sums that grow", "torch.logcumsumexp(y, 1)", "y, 1 => y, 0"),
    line("logaddexp, hypot", "torch.logaddexp(y, 2 * y) + torch.hypot(y, y + 1)", "y, y + 1 => y, y + 2"),
    line("covariances", "torch.cov(y.T)", "y.T => y.T, ddof=False", paddle="paddle.linalg.cov(y.T)"),
    line("lgamma and digamma", "torch.lgamma(y.abs() + 0.5) + torch.digamma(y.abs() + 0.5)", "digamma(y.abs() + 0.5 => digamma(y.abs() + 0.6"),
    # --- linear algebra ---
    line("a system of equations", "torch.linalg.solve(y.T @ y + torch.eye(5, dtype=y.dtype), y.T)", "y.T @ y => y.T @ y * 1.1",
         paddle="paddle.linalg.solve(y.T @ y + paddle.eye(5, dtype=y.dtype), y.T)"),
    line("a root of a matrix", "torch.linalg.cholesky(y.T @ y + torch.eye(5, dtype=y.dtype))", "dtype=y.dtype)) => dtype=y.dtype)).T",
         paddle="paddle.linalg.cholesky(y.T @ y + paddle.eye(5, dtype=y.dtype))"),
    line("singular values", "torch.linalg.svdvals(y)", "svdvals(y) => svdvals(y) ** 2", paddle="paddle.linalg.svdvals(y)"),
    line("added products", "torch.baddbmm(y.unsqueeze(0), y.unsqueeze(0), torch.ones(1, 5, 5, dtype=y.dtype), beta=0.5, alpha=2)", "0.5 * y => 2 * y",
         paddle="0.5 * y.unsqueeze(0) + 2 * paddle.bmm(y.unsqueeze(0), paddle.ones([1, 5, 5], dtype=y.dtype))"),
    line("a tensor product", "torch.tensordot(y, y, dims=([0], [0])) + torch.kron(y[:1].T @ y[:1], torch.ones(1, 1, dtype=y.dtype))", "axes=[[0], [0]] => axes=[[1], [1]])[:1, :1].expand([5, 5]",
         paddle="paddle.tensordot(y, y, axes=[[0], [0]]) + paddle.kron(y[:1].T @ y[:1], paddle.ones([1, 1], dtype=y.dtype))"),
    # --- modules used oddly ---
    Program("a hook that scales", "normal(4, 6)", """
self.fc = nn.Linear(6, 5)
self.fc.register_forward_hook(lambda layer, given, out: out * 0.5)
def forward(self, x):
    return self.fc(x)
""", """
self.fc = nn.Linear(6, 5)
self.fc.register_forward_post_hook(lambda layer, given, out: out * 0.5)
def forward(self, x):
    return self.fc(x)
""", ["out * 0.5 => out * 0.6", "lambda layer, given, out: out * 0.5 => lambda layer, given, out: None"]),
    Program("a hook before", "normal(4, 6)", """
self.fc = nn.Linear(6, 5)
self.fc.register_forward_pre_hook(lambda layer, given: (given[0] + 1,))
def forward(self, x):
    return self.fc(x)
""", mistakes=["given[0] + 1 => given[0] + 2"]),
    Program("a part of a list of layers", "normal(4, 6)", """
self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(4)])
def forward(self, x):
    for layer in self.layers[1:3]:
        x = torch.tanh(layer(x))
    return x + self.layers[-1](x) * 0 + self.layers[0](x) * 0
""", """
self.layers = nn.LayerList([nn.Linear(6, 6) for _ in range(4)])
def forward(self, x):
    for layer in self.layers[1:3]:
        x = F.tanh(layer(x))
    return x + self.layers[-1](x) * 0 + self.layers[0](x) * 0
""", ["self.layers[1:3] => self.layers[2:4]"]),
    Program("one layer in two places", "normal(4, 6)", """
self.a = nn.Linear(6, 6)
self.b = nn.Sequential(self.a, nn.Tanh(), self.a)
def forward(self, x):
    return self.b(self.a(x))
""", mistakes=["self.b(self.a(x)) => self.b(x)", "nn.Tanh() => nn.Sigmoid()"]),
    Program("a buffer updated without a graph", "normal(4, 6)", """
self.fc = nn.Linear(6, 5)
self.register_buffer("seen", torch.ones(5))
def forward(self, x):
    y = self.fc(x)
    with torch.no_grad():
        self.seen.mul_(0.9).add_(0.1 * y.mean(0))
    return y - self.seen
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("seen", paddle.ones([5]))
def forward(self, x):
    y = self.fc(x)
    with paddle.no_grad():
        self.seen.set_value(0.9 * self.seen + 0.1 * y.mean(0))
    return y - self.seen
""", ["0.9 * self.seen => 0.99 * self.seen"]),
    Program("arguments by star", "normal(4, 6), normal(4, 6)", """
self.fc = nn.Linear(6, 5)
def both(self, *xs, scale=1.0, **more):
    return sum(self.fc(x) for x in xs) * scale + more["shift"]
def forward(self, *xs):
    return self.both(*xs, shift=0.5)
""", mistakes=["shift=0.5 => shift=0.6", "*xs, shift => *xs[:1], *xs[:1], shift"]),
    Program("a function of one's own with a wrong derivative", "normal(4, 6)", """
class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 3
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Twice.apply(self.fc(x))
""", """
class Twice(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 3
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Twice.apply(self.fc(x))
""", ["g * 3 => g * 2"]),
    Program("a recursion", "normal(4, 6)", """
self.fc = nn.Linear(6, 6)
def down(self, x, depth):
    return x if depth == 0 else torch.tanh(self.fc(self.down(x, depth - 1)))
def forward(self, x):
    return self.down(x, 3)
""", mistakes=["self.down(x, 3) => self.down(x, 2)"]),
    Program("computed lazily and kept", "normal(4, 6)", """
self.fc = nn.Linear(6, 5)
self.kept = None
def forward(self, x):
    if self.kept is None or self.kept.shape != x.shape:
        self.kept = torch.arange(x.shape[1], dtype=x.dtype).expand(x.shape[0], -1)
    return self.fc(x + self.kept)
""", """
self.fc = nn.Linear(6, 5)
self.kept = None
def forward(self, x):
    if self.kept is None or self.kept.shape != x.shape:
        self.kept = paddle.arange(x.shape[1]).astype(x.dtype).expand([x.shape[0], -1])
    return self.fc(x + self.kept)
""", ["x + self.kept => x - self.kept"]),
]
