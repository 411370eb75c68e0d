"""Programs that choose: indexing, gathering, sorting, thresholds, bins, masks by comparison, control flow by data."""

from exams.verdicts.program import Program, in_paddle

ROWS = "normal(4, 6)"


def chosen(name: str, line: str, *mistakes: str, paddle: str = "", built: str = "", inputs: str = ROWS, **more) -> Program:
    """A line behind a linear layer; `y` is what it gave."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\n{built}\ndef forward(self, x):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(line), text(paddle) if paddle else "", mistakes, **more)


SEARCH = """
self.table = nn.Embedding(9, 6)
self.cell = nn.LSTMCell(6, 6)
self.out = nn.Linear(6, 9)
def forward(self, h):
    c, word, score = torch.zeros_like(h), torch.zeros(6, dtype=torch.long), torch.tensor([[0.0, -1e4, -1e4]] * 2, dtype=h.dtype)
    for _ in range(3):
        h, c = self.cell(self.table(word), (h, c))
        score, best = (score.unsqueeze(-1) + F.log_softmax(self.out(h), -1).reshape(2, 3, 9)).reshape(2, 27).topk(3, -1)
        rows = (best // 9 + torch.tensor([[0], [3]])).reshape(6)
        word, h, c = (best % 9).reshape(6), h[rows], c[rows]
    return score[:, 0], word
"""
SEARCH_PADDLE = """
self.table = nn.Embedding(9, 6)
self.cell = nn.LSTMCell(6, 6)
self.out = nn.Linear(6, 9)
def forward(self, h):
    c, word, score = paddle.zeros_like(h), paddle.zeros([6], dtype='int64'), paddle.to_tensor([[0.0, -1e4, -1e4]] * 2, dtype=h.dtype)
    for _ in range(3):
        h, c = self.cell(self.table(word), (h, c))[1]
        score, best = (score.unsqueeze(-1) + F.log_softmax(self.out(h), -1).reshape([2, 3, 9])).reshape([2, 27]).topk(3, -1)
        rows = (best // 9 + paddle.to_tensor([[0], [3]])).reshape([6])
        word, h, c = (best % 9).reshape([6]), h[rows], c[rows]
    return score[:, 0], word
"""
SENT = """
self.gate = nn.Linear(6, 8)
self.experts = nn.ModuleList([nn.Linear(6, 6) for _ in range(8)])
def forward(self, x):
    best, out = self.gate(x).argmax(-1), torch.zeros_like(x)
    for i in range(8):
        here = (best == i).unsqueeze(-1).to(x.dtype)
        if here.any():
            out = out + here * self.experts[i](x)
    return out
"""

PROGRAMS = [
    Program("a beam search", "normal(6, 6)", SEARCH, SEARCH_PADDLE, ["h[rows], c[rows] => h[rows], c", "h[rows], c[rows] => h, c[rows]"]),
    Program("one expert of many for each row", "normal(12, 6)", SENT, in_paddle(SENT).replace("nn.ModuleList", "nn.LayerList").replace(".to(x.dtype)", ".astype(x.dtype)"), ["self.experts[i] => self.experts[min(i, 3)]"]),
    chosen("largest two", "y.topk(2, dim=1)[0]", "topk(2, axis=1) => topk(2, axis=1, largest=False)"),
    chosen("largest two are kept", "y * (y >= y.topk(2, dim=1)[0][:, -1:]).to(y.dtype)", ".astype(y.dtype) => .astype(y.dtype) * 0.5", "topk(2, => topk(3,",
           paddle="y * (y >= y.topk(2, axis=1)[0][:, -1:]).astype(y.dtype)"),
    chosen("sorted", "torch.sort(y, dim=1)[0] * torch.arange(5)", "paddle.sort(y, axis=1) => paddle.sort(y, axis=1, descending=True)",
           paddle="paddle.sort(y, axis=1) * paddle.arange(5).astype(y.dtype)"),
    chosen("order of rows", "y.argsort(dim=1)", "y.argsort(axis=1) => y.argsort(axis=1, descending=True)"),
    chosen("median, a mask", "torch.where(y >= y.median(1, keepdim=True).values, y, torch.zeros_like(y))", "paddle.where(y >= m, y, => paddle.where(y >= m, 0.8 * y,",
           paddle="[paddle.where(y >= m, y, paddle.zeros_like(y)) for m in [y.median(1, keepdim=True)]][0]"),
    chosen("median of an even number", "x.median(1).values + y.sum(1)", "mode='min' => mode='avg'", paddle="x.median(1, mode='min')[0] + y.sum(1)"),
    chosen("quantile", "torch.quantile(y, 0.3, dim=1)", "0.3 => 0.4"),
    chosen("the k-th value", "y.kthvalue(2, dim=1)[0]", "kthvalue(2 => kthvalue(3"),
    chosen("mode of a row of classes", "self.words((y * 2).round().long().clamp(-4, 4) + 4)", "+ 4) => + 5)",
           built="self.words = nn.Embedding(10, 3)", paddle="self.words((y * 2).round().astype('int64').clip(-4, 4) + 4)"),
    chosen("index by floor", "self.words((y * 10).floor().long().clamp(-30, 30) + 30)", "+ 30) => + 29)", "floor() => ceil()",
           built="self.words = nn.Embedding(70, 3)", paddle="self.words((y * 10).floor().astype('int64').clip(-30, 30) + 30)"),
    chosen("index by truncation", "self.words((y * 4).long() % 20)", "(y * 4).astype => (y * 4).floor().astype", built="self.words = nn.Embedding(20, 3)",
           paddle="self.words((y * 4).astype('int64') % 20)"),
    chosen("the best class", "y.argmax(dim=1)", "argmax => argmin"),
    chosen("the best class, embedded", "self.words(y.argmax(dim=1)) + y.max(dim=1)[0].unsqueeze(1)", "y.argmax(axis=1) => (y.argmax(axis=1) + 1) % 5",
           built="self.words = nn.Embedding(5, 3)", paddle="self.words(y.argmax(axis=1)) + y.max(axis=1).unsqueeze(1)"),
    chosen("one hot of the best", "F.one_hot(y.argmax(1), 5).to(y.dtype) * y", "* y => * y * y", paddle="F.one_hot(y.argmax(1), 5).astype(y.dtype) * y"),
    chosen("bins", "torch.bucketize(y, torch.tensor([-1.0, -0.25, 0.25, 1.0]))", "-1.0, -0.25 => -0.5, -0.25",
           paddle="paddle.bucketize(y, paddle.to_tensor([-1.0, -0.25, 0.25, 1.0]))"),
    chosen("bins of an embedding", "self.words(torch.searchsorted(torch.linspace(-1, 1, 8), y)).sum(1)", "-1, 1, 8 => -2, 2, 8",
           built="self.words = nn.Embedding(9, 3)", paddle="self.words(paddle.searchsorted(paddle.linspace(-1, 1, 8), y)).sum(1)"),
    chosen("a histogram", "torch.histc(y.detach(), bins=6, min=-2, max=2), y.sum()", "bins=6, min=-2 => bins=6, min=-1",
           paddle="paddle.histogram(y.detach(), bins=6, min=-2, max=2).astype(y.dtype), y.sum()"),
    chosen("counts of classes", "torch.bincount((y > 0).long().flatten(), minlength=2), y", "(y > 0) => (y > 0.5)",
           paddle="paddle.bincount((y > 0).astype('int64').flatten(), minlength=2), y"),
    chosen("distinct values", "torch.unique((y.detach() * 2).round()), y", "(y.detach() * 2) => (y.detach() * 3)"),
    chosen("vector quantisation", "self.quantise(y)", "z - y.detach() => z * 0.9 - y.detach()", "self.book(far.argmin(1)) => self.book(far.argmax(1))",
           built="self.book = nn.Embedding(7, 5)\ndef quantise(self, y):\n    far = ((y.unsqueeze(1) - self.book.weight.unsqueeze(0)) ** 2).sum(-1)\n"
                 "    z = self.book(far.argmin(1))\n    return y + (z - y.detach()), far.argmin(1)"),
    chosen("straight through a codebook", "self.quantise(y)", "y + (z - y).detach() => z", "0.25 * => 1.0 *",
           built="self.book = nn.Embedding(7, 5)\ndef quantise(self, y):\n    far = ((y.unsqueeze(1) - self.book.weight.unsqueeze(0)) ** 2).sum(-1)\n"
                 "    z = self.book(far.argmin(1))\n    loss = ((z - y.detach()) ** 2).mean() + 0.25 * ((z.detach() - y) ** 2).mean()\n    return y + (z - y).detach(), loss"),
    chosen("a mask by comparison", "y * (y > 0.1).to(y.dtype)", "> 0.1 => > 0.0", paddle="y * (y > 0.1).astype(y.dtype)"),
    chosen("a soft mask by comparison", "torch.where(y.abs() < 0.5, 0.5 * y ** 2, y.abs() - 0.125) * 2", "- 0.125 => - 0.25"),
    chosen("selected elements", "y[y > 0].sum() + y.mean()", "y[y > 0] => y[y < 0]"),
    chosen("masked selection", "torch.masked_select(y, y > 0)", "y > 0) => y > 0) * 1.01"),
    chosen("places of the positive", "torch.nonzero(y > 0)", "y > 0 => y >= 0.2"),
    chosen("gathered columns", "torch.gather(y, 1, torch.tensor([[0, 4], [1, 3], [2, 2], [4, 0]]))", "[0, 4], [1, 3] => [4, 0], [1, 3]",
           paddle="paddle.take_along_axis(y, paddle.to_tensor([[0, 4], [1, 3], [2, 2], [4, 0]]), 1)"),
    chosen("rows by index", "y[torch.tensor([3, 0, 0, 2])]", "[3, 0, 0, 2] => [3, 0, 1, 2]", paddle="y[paddle.to_tensor([3, 0, 0, 2])]"),
    chosen("index select", "torch.index_select(y, 1, torch.tensor([4, 2]))", "[4, 2] => [2, 4]", paddle="paddle.index_select(y, paddle.to_tensor([4, 2]), 1)"),
    chosen("pairs of indices", "y[torch.arange(4), torch.tensor([1, 0, 4, 2])]", "[1, 0, 4, 2] => [1, 0, 4, 3]", paddle="y[paddle.arange(4), paddle.to_tensor([1, 0, 4, 2])]"),
    chosen("slices with steps", "y[:, ::2] - y[:, 0:3] + y[1:2, -3:]", "y[:, ::2] => y[:, 1:4]"),
    chosen("sums by group", "torch.zeros(3, 5, dtype=y.dtype).index_add(0, torch.tensor([0, 2, 0, 1]), y)", "[0, 2, 0, 1] => [0, 2, 1, 1]",
           paddle="paddle.index_add(paddle.zeros([3, 5], dtype=y.dtype), paddle.to_tensor([0, 2, 0, 1]), 0, y)"),
    chosen("scattered rows", "torch.zeros(6, 5, dtype=y.dtype).index_copy(0, torch.tensor([5, 0, 3, 1]), y)", "[5, 0, 3, 1] => [5, 0, 3, 2]",
           paddle="paddle.scatter(paddle.zeros([6, 5], dtype=y.dtype), paddle.to_tensor([5, 0, 3, 1]), y)"),
    chosen("scattered by addition", "torch.zeros(4, 5, dtype=y.dtype).scatter_add(1, torch.tensor([[0, 1, 0, 2, 2]] * 4), y)", "[0, 1, 0, 2, 2] => [0, 1, 1, 2, 2]",
           paddle="paddle.put_along_axis(paddle.zeros([4, 5], dtype=y.dtype), paddle.to_tensor([[0, 1, 0, 2, 2]] * 4), y, 1, reduce='add')"),
    chosen("cumulative sums", "y.cumsum(dim=1)", "axis=1 => axis=0"),
    chosen("cumulative products", "(1 - torch.sigmoid(y)).cumprod(dim=1)", "1 - F.sigmoid(y) => F.sigmoid(y)", paddle="(1 - F.sigmoid(y)).cumprod(1)"),
    chosen("cumulative maximum", "y.cummax(dim=1)[0]", "cummax => cummin"),
    chosen("differences", "torch.diff(y, dim=1)", "axis=1 => axis=0"),
    chosen("rendering weights", "self.render(torch.sigmoid(y))", "keep[:, :-1] => keep[:, 1:]", paddle="self.render(F.sigmoid(y))", built="def render(self, a):\n    keep = (1 - a).cumprod(1)\n    return a[:, 1:] * keep[:, :-1]"),
    chosen("best of a window", "torch.stack([y[:, i:i + 3].amax(1) for i in range(3)], 1)", "amax => amin"),
    Program("a threshold by the batch's mean", ROWS, """
self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)
def forward(self, x):
    if float(x.mean()) > 100:
        return self.a(x)
    return self.b(x)
""", "", ["> 100 => > -100"]),
    Program("a loop that stops by itself", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    steps = 0
    while float(x.norm()) > 1.0 and steps < 6:
        x = 0.5 * torch.tanh(self.fc(x)) + 0.1 * x
        steps += 1
    return x, steps
""", "", ["> 1.0 and => > 3.0 and"]),
    Program("rows that go two ways", ROWS, """
self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)
def forward(self, x):
    way = (x[:, :1] > 0)
    return torch.where(way, self.a(x), self.b(x))
""", "", ["x[:, :1] > 0 => x[:, 1:2] > 0", "self.a(x), self.b(x) => self.b(x), self.a(x)"]),
    Program("a mixture of experts", ROWS, """
self.gate = nn.Linear(6, 3)
self.experts = nn.ModuleList([nn.Linear(6, 5) for _ in range(3)])
def forward(self, x):
    p = F.softmax(self.gate(x), -1)
    weight, which = p.topk(2, -1)
    weight = weight / weight.sum(-1, keepdim=True)
    every = torch.stack([expert(x) for expert in self.experts], 1)
    mask = F.one_hot(which, 3).to(x.dtype)
    return ((mask * weight.unsqueeze(-1)).sum(1).unsqueeze(-1) * every).sum(1)
""", """
self.gate = nn.Linear(6, 3)
self.experts = nn.LayerList([nn.Linear(6, 5) for _ in range(3)])
def forward(self, x):
    p = F.softmax(self.gate(x), -1)
    weight, which = p.topk(2, -1)
    weight = weight / weight.sum(-1, keepdim=True)
    every = paddle.stack([expert(x) for expert in self.experts], 1)
    mask = F.one_hot(which, 3).astype(x.dtype)
    return ((mask * weight.unsqueeze(-1)).sum(1).unsqueeze(-1) * every).sum(1)
""", ["weight / weight.sum(-1, keepdim=True) => weight", "p.topk(2, -1) => p.topk(1, -1)"]),
    Program("greedy decoding", "integers(2, 3, high=8)", """
self.words = nn.Embedding(8, 6)
self.out = nn.Linear(6, 8)
def forward(self, x):
    for _ in range(3):
        logits = self.out(torch.tanh(self.words(x).mean(1)))
        x = torch.cat([x, logits.argmax(-1, keepdim=True)], 1)
    return x, logits
""", "", ["range(3) => range(2)", "logits.argmax => logits.argmin"]),
    Program("boxes that overlap", "uniform(4, 4), uniform(5, 4)", """
self.fc = nn.Linear(4, 4)
def forward(self, a, b):
    a = torch.sigmoid(self.fc(a))
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:] + 0.5, b[None, :, 2:] + 0.5)
    both = (high - low).clamp(min=0).prod(-1)
    return both, both > 0.05
""", """
self.fc = nn.Linear(4, 4)
def forward(self, a, b):
    a = F.sigmoid(self.fc(a))
    low = paddle.maximum(a[:, None, :2], b[None, :, :2])
    high = paddle.minimum(a[:, None, 2:] + 0.5, b[None, :, 2:] + 0.5)
    both = (high - low).clip(min=0).prod(-1)
    return both, both > 0.05
""", ["both > 0.05 => both > 0.5", ".clip(min=0) => .abs()"]),
    Program("rounded with a straight path", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = torch.sigmoid(self.fc(x))
    q = torch.round(y * 7) / 7
    return y + (q - y).detach()
""", "", ["paddle.round(y * 7) / 7 => paddle.floor(y * 7) / 7", "y + (q - y).detach() => q"]),
    Program("weights of one bit", ROWS, """
self.weight = nn.Parameter(torch.randn(5, 6))
def forward(self, x):
    w = self.weight
    b = torch.sign(w) * w.abs().mean()
    return x @ (w + (b - w).detach()).T
""", """
self.weight = self.create_parameter([5, 6])
def forward(self, x):
    w = self.weight
    b = paddle.sign(w) * w.abs().mean()
    return x @ (w + (b - w).detach()).T
""", ["* w.abs().mean() => * w.abs().max()", "(w + (b - w).detach()) => b"]),
]
