"""What was tried without a look at the harness: networks that are off where a step judged alone goes on with the reference's value,
the largest of a segment, constants that one side names float32, layers made late, a state that torch keeps as a mere tensor."""

from exams.verdicts.program import Program, in_paddle
from exams.verdicts.programs.training import optimized

FLOAT32 = {"a constant in float32": 1e-6}

KEYS = """
class Keys(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(4, 5)
        self.k = nn.Linear(4, 5)
        for p in self.k.parameters():
            p.requires_grad_(False)
    def follow(self):
        with torch.no_grad():
            for a, b in zip(self.q.parameters(), self.k.parameters()):
                b.mul_(0.9).add_(a, alpha=0.1)
    def forward(self, x, t):
        q = self.q(x)
        self.follow()
        with torch.no_grad():
            k = self.k(t)
        return F.cross_entropy(q @ k.T, torch.arange(x.shape[0]))
self.net = Keys()
self.opt = torch.optim.SGD(self.net.q.parameters(), lr=0.1)
"""
UNET = """
class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 3, padding=1)
    def forward(self, x):
        return F.relu(self.conv(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = Block(2, 4)
        self.up = Block(8, 4)
        self.head = nn.Conv2d(4, 3, 1)
    def forward(self, x):
        a = self.down(x)
        b = F.interpolate(F.max_pool2d(a, 2), scale_factor=2, mode="nearest")
        return self.head(self.up(torch.cat([a, b], 1)))
self.net = Net()
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
"""
SIAMESE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(4, 5)
        self.pred = nn.Linear(5, 5)
    def forward(self, x):
        z = torch.tanh(self.enc(x))
        return z, self.pred(z)
self.net = Net()
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
"""


def trained(name: str, net: str, loss: str, *mistakes: str, batch: str, words: tuple[tuple[str, str], ...] = (), **more) -> Program:
    """A plain step of SGD; `words`: what Paddle spells otherwise beside the usual."""
    text = f"{net}\ndef step(self, x, t):\n{loss}    self.opt.zero_grad()\n    loss.backward()\n    self.opt.step()\n    return loss\n"
    port = in_paddle(text)
    for old, new in (("paddle.optim.SGD(", "paddle.optimizer.SGD(parameters="), ("lr=", "learning_rate="), ("zero_grad", "clear_grad"), *words):
        port = port.replace(old, new)
    return Program(name, batch, text, port, mistakes, training=True, **more)


PROGRAMS = [
    optimized("a plain step whose network is off", "SGD(self.net.parameters(), lr=0.2)", "SGD(0.2, parameters=self.net.parameters())",
              "return self.b(paddle.tanh(self.a(x))) => return self.b(paddle.tanh(self.a(x))) + 0.01",
              "return self.b(paddle.tanh(self.a(x))) => return self.b(paddle.tanh(self.a(x)) + 0.001)",
              "return self.b(paddle.tanh(self.a(x))) => return 1.0001 * self.b(paddle.tanh(self.a(x)))"),
    trained("encoders of queries and keys", KEYS, "    loss = self.net(x, t)\n", "a * 0.1 => a * 0.2", """        self.follow()
        with paddle.no_grad():
            k = self.k(t)
 =>         with paddle.no_grad():
            k = self.k(t)
        self.follow()
""", "F.cross_entropy(q @ k.T => F.cross_entropy(q @ k.T * 1.001", batch="normal(5, 4), normal(5, 4)", words=(
        ("p.requires_grad_(False)", "p.stop_gradient = True"), ("b.mul_(0.9).add_(a, alpha=0.1)", "b.set_value(b * 0.9 + a * 0.1)"))),
    trained("a small segmentation", UNET, "    loss = F.cross_entropy(self.net(x), t)\n", "[a, b] => [b, a]", "return self.head( => return 1.001 * self.head(",
            "max_pool2d => avg_pool2d", "'nearest' => 'bilinear'", "return F.relu( => return F.gelu(", batch="normal(2, 2, 6, 6), integers(2, 6, 6, high=3)",
            words=(("paddle.cat(", "paddle.concat("), ("self.net(x), t)", "self.net(x), t, axis=1)"), ('"nearest"', "'nearest'"))),
    trained("two views, one stopped", SIAMESE, """    (z, p), (y, q) = self.net(x), self.net(t)
    loss = -(F.cosine_similarity(p, y.detach(), dim=-1) + F.cosine_similarity(q, z.detach(), dim=-1)).mean() / 2
""", "y.detach() => y", "q, z.detach() => q, y.detach()", "return z, self.pred(z) => return z, self.pred(z) + 0.001", "return z, self.pred(z) => return z + 0.001, self.pred(z)",
            batch="normal(5, 4), normal(5, 4)", known={"norm_gradient": 1e-6}),
    Program("a softmax over the neighbours", "normal(5, 4), np.array([[0, 1, 2, 3, 4, 0, 2], [1, 2, 0, 0, 2, 3, 4]])", """
self.score = nn.Linear(8, 1, bias=False)
self.value = nn.Linear(4, 3)
def forward(self, x, edges):
    s, d = edges
    e = self.score(torch.cat([x[d], x[s]], 1)).squeeze(1)
    top = torch.full((5,), -1e9, dtype=e.dtype).scatter_reduce(0, d, e, "amax")
    p = (e - top[d]).exp()
    a = p / torch.zeros(5, dtype=e.dtype).index_add(0, d, p)[d]
    out = torch.zeros(5, 3, dtype=e.dtype).index_add(0, d, a.unsqueeze(1) * self.value(x)[s])
    return out, a
""", """
self.score = nn.Linear(8, 1, bias_attr=False)
self.value = nn.Linear(4, 3)
def forward(self, x, edges):
    s, d = edges[0], edges[1]
    e = self.score(paddle.concat([x[d], x[s]], 1)).squeeze(1)
    own = F.one_hot(d, 5).astype(e.dtype)
    p = paddle.exp(e - e.detach().max())
    a = p / (own @ (own.t() @ p))
    out = paddle.zeros([5, 3], dtype=e.dtype)
    out = paddle.scatter_nd_add(out, d.unsqueeze(-1), a.unsqueeze(1) * self.value(x)[s])
    return out, a
""", ["[x[d], x[s]] => [x[s], x[d]]", "F.one_hot(d, 5) => F.one_hot(s, 5)", "self.value(x)[s] => self.value(x)[d]", "e - e.detach().max() => 0.5 * (e - e.detach().max())"]),
    Program("the length by its largest", "normal(20, 6)", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    return y / y.norm(float("inf"), dim=1, keepdim=True)
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    return y / y.abs().max(axis=1, keepdim=True)
""", ["y.abs().max( => y.max(", "max(axis=1, => max(axis=0,", "y / y.abs() => y / 2 / y.abs()"]),
    Program("constants in float32", "normal(4, 3)", """
self.fc = nn.Linear(3, 3)
def forward(self, x):
    shift = torch.full((3,), 0.1)
    rates = torch.tensor([0.3, 0.7, 1.1])
    return torch.tanh(self.fc(x) * rates.to(x.dtype) + shift)
""", """
import numpy as np
self.fc = nn.Linear(3, 3)
def forward(self, x):
    shift = paddle.full([3], 0.1, dtype="float32")
    rates = paddle.to_tensor(np.float32([0.3, 0.7, 1.1]))
    return paddle.tanh(self.fc(x) * rates.astype(x.dtype) + shift.astype(x.dtype))
""", ["0.1, dtype => 0.1001, dtype", "[0.3, 0.7, 1.1] => [0.3, 1.1, 0.7]", "paddle.tanh( => F.sigmoid(", "* rates => / rates"], known=FLOAT32),
    Program("shares of counts", "normal(40, 3), integers(40, high=3)", """
self.fc = nn.Linear(3, 3)
def forward(self, x, t):
    best = self.fc(x).argmax(1)
    share = torch.stack([((best == c) & (t == c)).sum() / ((best == c) | (t == c)).sum().clamp(min=1) for c in range(3)])
    return share.mean().to(x.dtype), best
""", """
self.fc = nn.Linear(3, 3)
def forward(self, x, t):
    best = self.fc(x).argmax(1)
    share = paddle.stack([((best == c) & (t == c)).sum().astype("float32") / ((best == c) | (t == c)).sum().clip(min=1).astype("float32") for c in range(3)])
    return share.mean().astype(x.dtype), best
""", ["share.mean() => share.sum()", "(best == c) | (t == c) => best == c", "argmax(1) => argmin(1)"], known=FLOAT32),
    Program("a head that is the embedding", "integers(2, 5, high=9), integers(2, 5, high=9)", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 6)
        self.mid = nn.Linear(6, 6)
        self.head = nn.Linear(6, 9, bias=False)
        self.head.weight = self.emb.weight
    def forward(self, x):
        return self.head(torch.tanh(self.mid(self.emb(x))))
self.net = Net()
self.opt = torch.optim.AdamW(self.net.parameters(), lr=1e-2, weight_decay=0.1)
def step(self, x, t):
    loss = F.cross_entropy(self.net(x).flatten(0, 1), t.flatten())
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 6)
        self.mid = nn.Linear(6, 6)
    def forward(self, x):
        h = paddle.tanh(self.mid(self.emb(x)))
        return paddle.matmul(h, self.emb.weight, transpose_y=True)
self.net = Net()
self.opt = paddle.optimizer.AdamW(1e-2, weight_decay=0.1, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.cross_entropy(self.net(x).flatten(0, 1), t.flatten())
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", ["h, self.emb.weight, => h, self.emb.weight.detach(),", "return paddle.matmul(h => return paddle.matmul(self.emb(x)", "weight_decay=0.1 => weight_decay=0.01",
      "t.flatten()) => t.flatten()) * 1.001"], training=True, known={"decoupled_decay": 1e-6}),
    Program("a product of some frequencies", "normal(2, 3, 12)", """
self.w = nn.Parameter(torch.randn(3, 3, 4, 2))
self.skip = nn.Conv1d(3, 3, 1)
def forward(self, x):
    h = torch.fft.rfft(x, norm="ortho")
    out = torch.zeros_like(h)
    out[..., :4] = torch.einsum("bim,iom->bom", h[..., :4], torch.view_as_complex(self.w))
    return F.gelu(torch.fft.irfft(out, n=x.shape[-1], norm="ortho") + self.skip(x)), h.abs()
""", """
self.w = self.create_parameter([3, 3, 4, 2])
self.skip = nn.Conv1D(3, 3, 1)
def forward(self, x):
    h = paddle.fft.rfft(x, norm="ortho")
    out = paddle.einsum("bim,iom->bom", h[..., :4], paddle.as_complex(self.w))
    out = paddle.concat([out, paddle.zeros_like(h[..., 4:])], -1)
    return F.gelu(paddle.fft.irfft(out, n=x.shape[-1], norm="ortho") + self.skip(x)), h.abs()
""", ["paddle.as_complex(self.w) => paddle.as_complex(self.w).conj()", "bim,iom->bom => bim,oim->bom", "rfft(x, norm=\"ortho\") => rfft(x)",
      "[out, paddle.zeros_like(h[..., 4:])] => [paddle.zeros_like(h[..., 4:]), out]"]),
]
