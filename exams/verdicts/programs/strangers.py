"""What a stranger to the harness tried in one evening: odd containers, labels of one, leaves of two lines, derivatives in the
forward, samples, caches, codebooks, graphs, and operations in which Paddle does otherwise."""

from exams.verdicts.program import Program, in_paddle
from exams.verdicts.programs.training import training

POWERS = {"power_pool": 1e-5}
RENORM = {"renorm_epsilon": 1e-6}
SHARE = {"margin_share": 1e-7}
POSITIONS = {"interpolate_positions": 1e-5}


def lone(name: str, torch: str, paddle: str, *mistakes: str, inputs: str = "normal(4, 6)", arguments: str = "self, x", **more) -> Program:
    """One expression of `y`, what a linear layer returns."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\ndef forward({arguments}):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(torch), text(paddle), mistakes, **more)


CURVED = """
self.a = nn.Linear(3, 5)
self.b = nn.Linear(5, 1)
def value(self, x):
    return self.b(torch.sin(self.a(x))).sum()
"""
COUNTED = """
import collections
import types
self.fc = nn.Linear(4, 3)
def forward(self, x):
    y = self.fc(x)
    named = collections.defaultdict(list)
    named["q"].append(y.sin())
    layers = collections.ChainMap({"z": y.cos()}, {"w": y + 1})
    read = types.MappingProxyType({"e": y.exp(), "n": 4})
    return named, layers, read, {"a": y, "b": y * 2}.values()
"""
CODES = """
self.fc = nn.Linear(4, 3)
def forward(self, x):
    h = self.fc(x)
    c = h[:3].detach()
    for _ in range(3):
        a = torch.cdist(h.detach(), c).argmin(1)
        o = F.one_hot(a, 3).to(h.dtype)
        c = o.t() @ h.detach() / o.sum(0).clamp(min=1).unsqueeze(1)
    return ((h - c[a]) ** 2).sum(-1).mean(), a, c
"""
STEPPED = """
self.a = nn.Linear(3, 8)
self.b = nn.Linear(8, 2)
def f(self, t, y):
    return self.b(torch.tanh(self.a(torch.cat([y, torch.full_like(y[:, :1], t)], 1))))
def forward(self, y):
    h = 0.25
    for n in range(4):
        t = n * h
        k1 = self.f(t, y)
        k2 = self.f(t + h / 2, y + h / 2 * k1)
        k3 = self.f(t + h / 2, y + h / 2 * k2)
        k4 = self.f(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y
"""
PATH = """
self.fc = nn.Linear(3, 4)
self.tr = nn.Linear(4, 4, bias=False)
def forward(self, x):
    e = self.fc(x)
    s, back = e[0], []
    for t in range(1, len(e)):
        v = s.unsqueeze(1) + self.tr.weight
        k = v.argmax(0)
        s = v.max(0).values + e[t]
        back.append(k)
    path = [int(s.argmax())]
    for k in reversed(back):
        path.append(int(k[path[-1]]))
    return path[::-1], s.max()
"""
FARTHEST = """
self.fc = nn.Linear(3, 4)
def forward(self, p):
    d = torch.full_like(p[:, 0], 1e10)
    far, out = 0, []
    for _ in range(4):
        out.append(far)
        d = torch.minimum(d, ((p - p[far]) ** 2).sum(-1))
        far = int(d.argmax())
    return self.fc(p[torch.tensor(out)]).sum(0), out
"""

PROGRAMS = [
    lone("labels of one", "F.binary_cross_entropy(torch.sigmoid(y), t.detach())", "F.binary_cross_entropy(F.sigmoid(y), t.detach())",
         "F.binary_cross_entropy(F.sigmoid(y), t.detach()) => F.binary_cross_entropy(F.sigmoid(y), t.detach(), reduction='sum')",
         inputs="normal(4, 6), (np.arange(20).reshape(4, 5) % 3 == 0).astype('float32')", arguments="self, x, t",
         known={"an epsilon of 1e-12": 1e-7}),
    Program("odd mappings and views", "normal(2, 4)", COUNTED, in_paddle(COUNTED), [
        "y.sin() => y.sin() * 1.001", '{"w": y + 1} => {"w": y + 2}', "y.exp() => y.expm1()", '"n": 4 => "n": 5', "y * 2} => y * 3}"]),
    Program("one sample of a policy", "normal(5, 4)", """
self.fc = nn.Linear(4, 3)
def forward(self, x):
    l = self.fc(x)
    a = torch.multinomial(F.softmax(l, -1).detach(), 1, True)
    g = F.log_softmax(l, -1).gather(1, a)
    return -g.mean(), a
""", """
self.fc = nn.Linear(4, 3)
def forward(self, x):
    l = self.fc(x)
    a = paddle.multinomial(F.softmax(l, -1).detach(), 1)
    g = paddle.take_along_axis(F.log_softmax(l, -1), a, 1)
    return -g.mean(), a
""", ["-g.mean() => g.mean()"]),
    lone("a smaller scale by whole sizes", "F.interpolate(y.reshape(1, 2, 2, 5), scale_factor=1.7, mode='bilinear', recompute_scale_factor=True)",
         "F.interpolate(y.reshape([1, 2, 2, 5]), size=[3, 8], mode='bilinear')", "mode='bilinear' => mode='bilinear', align_corners=True", known=POSITIONS),
    Program("a leaf of two lines", "normal(3, 4)", """
self.a = nn.Linear(4, 8)
self.b = nn.Linear(8, 6)
def forward(self, x):
    z = x.detach().requires_grad_(True)
    y = self.b(torch.tanh(self.a(z)))
    g, = torch.autograd.grad(y.sum(), z, create_graph=True)
    l = g.square().sum(1).sqrt()
    return (l - 1).square().mean() + y.mean(), l
""", """
self.a = nn.Linear(4, 8)
self.b = nn.Linear(8, 6)
def forward(self, x):
    z = x.detach()
    z.stop_gradient = False
    y = self.b(paddle.tanh(self.a(z)))
    g, = paddle.grad(y.sum(), z, create_graph=True)
    l = g.square().sum(1).sqrt()
    return (l - 1).square().mean() + y.mean(), l
""", ["create_graph=True => create_graph=False", "(l - 1).square() => (l - 1.01).square()"]),
    Program("a derivative along the points", "normal(2, 3)", CURVED + """
def forward(self, x):
    v = x.detach().requires_grad_()
    g, = torch.autograd.grad(self.value(v), v, create_graph=True)
    return g, self.value(x)
""", in_paddle(CURVED) + """
def forward(self, x):
    v = x.detach()
    v.stop_gradient = False
    g, = paddle.grad(self.value(v), v, create_graph=True)
    return g, self.value(x)
""", ["create_graph=True => create_graph=False", "return g, => return 1.001 * g,"]),
    lone("power pooling of a plane", "F.lp_pool2d(y.abs().reshape(1, 1, 4, 5), 2.5, (2, 2))", "F.lp_pool2d(y.abs().reshape([1, 1, 4, 5]), 2.5, (2, 2))", "2.5 => 2.0", known=POWERS),
    lone("power pooling of a row", "F.lp_pool1d(y.abs().reshape(1, 2, 10), 3.0, 4, 2)", "F.lp_pool1d(y.abs().reshape([1, 2, 10]), 3.0, 4, 2)", "3.0, 4, 2 => 3.0, 4, 3", known=POWERS),
    lone("rows held to a norm", "torch.renorm(y, 2, 0, 0.3)", "paddle.renorm(y, 2.0, 0, 0.3)", "2.0, 0, 0.3 => 1.0, 0, 0.3", "2.0, 0, 0.3 => 2.0, 1, 0.3", "0.3) => 0.301)", known=RENORM),
    lone("margins of several classes", "F.multi_margin_loss(y, torch.tensor([0, 4, 1, 2]), p=2, margin=0.7)", "F.multi_margin_loss(y, paddle.to_tensor([0, 4, 1, 2]), p=2, margin=0.7)",
         "p=2, margin=0.7 => p=1, margin=0.7", "margin=0.7 => margin=0.71", known=SHARE),
    lone("two views pulled together", "F.kl_div(F.log_softmax(y, -1), F.softmax(2 * y, -1), reduction='batchmean') + F.kl_div(F.log_softmax(2 * y, -1), F.softmax(y, -1), reduction='batchmean')",
         "((F.softmax(2 * y, -1) - F.softmax(y, -1)) * (F.log_softmax(2 * y, -1) - F.log_softmax(y, -1))).sum(-1).mean()",
         ".sum(-1).mean() => .mean()", "(F.softmax(2 * y, -1) - F.softmax(y, -1)) => (F.softmax(2 * y, -1) - F.softmax(y, -1)).detach()"),
    Program("clusters by means", "normal(8, 4)", CODES, in_paddle(CODES).replace(".to(h.dtype)", ".astype(h.dtype)").replace("clamp(", "clip("), [
        "clip(min=1) => clip(min=3)", ".sum(-1).mean() => .mean()", "argmin(1) => argmax(1)"]),
    Program("four slopes a step", "normal(4, 2)", STEPPED, in_paddle(STEPPED).replace("paddle.cat(", "paddle.concat("), [
        "y + h / 2 * k2 => y + h / 2 * k1", "self.f(t + h, => self.f(t,", "2 * k2 + 2 * k3 => k2 + 3 * k3"]),
    Program("the best path", "normal(6, 3)", PATH, in_paddle(PATH).replace("bias=False", "bias_attr=False").replace("self.tr.weight", "self.tr.weight.t()").replace(".max(0).values", ".max(0)"), [
        "self.tr.weight.t() => self.tr.weight", "path[::-1] => path", "s.unsqueeze(1) => s.unsqueeze(0)"]),
    Program("farthest points", "normal(9, 3)", FARTHEST, in_paddle(FARTHEST).replace("paddle.tensor(out)", "paddle.to_tensor(out)"), [
        "paddle.minimum(d, ((p - p[far]) ** 2).sum(-1)) => ((p - p[far]) ** 2).sum(-1)", "far, out = 0, [] => far, out = 1, []"]),
    Program("the likeliest words alone", "normal(4, 4)", """
self.fc = nn.Linear(4, 8)
def forward(self, x):
    p = F.softmax(self.fc(x) / 0.5, -1)
    s, i = p.sort(-1, descending=True)
    s = s * (s.cumsum(-1) - s < 0.8)
    p = torch.zeros_like(p).scatter(-1, i, s)
    return p / p.sum(-1, keepdim=True)
""", """
self.fc = nn.Linear(4, 8)
def forward(self, x):
    p = F.softmax(self.fc(x) / 0.5, -1)
    i = p.argsort(-1, descending=True)
    s = paddle.take_along_axis(p, i, -1)
    s = s * (s.cumsum(-1) - s < 0.8).astype(s.dtype)
    p = paddle.put_along_axis(paddle.zeros_like(p), i, s, -1)
    return p / p.sum(-1, keepdim=True)
""", ["s.cumsum(-1) - s < 0.8 => s.cumsum(-1) < 0.8", "/ 0.5 => / 0.6", "p / p.sum(-1, keepdim=True) => F.softmax(p, -1)"]),
    Program("a mixer of memories", "normal(2, 5, 4)", """
self.k = nn.Linear(4, 4, bias=False)
self.v = nn.Linear(4, 4, bias=False)
self.w = nn.Linear(4, 1, bias=False)
def forward(self, x):
    k, v = self.k(x), self.v(x)
    w = -torch.exp(self.w.weight.reshape(4))
    a = b = torch.zeros_like(k[:, 0])
    p = torch.full_like(a, -1e38)
    out = []
    for t in range(x.shape[1]):
        q = torch.maximum(p + w, k[:, t])
        e1, e2 = torch.exp(p + w - q), torch.exp(k[:, t] - q)
        a, b, p = e1 * a + e2 * v[:, t], e1 * b + e2, q
        out.append(a / b)
    return torch.stack(out, 1), (a, b, p)
""", """
self.k = nn.Linear(4, 4, bias_attr=False)
self.v = nn.Linear(4, 4, bias_attr=False)
self.w = nn.Linear(4, 1, bias_attr=False)
def forward(self, x):
    k, v = self.k(x), self.v(x)
    w = -paddle.exp(self.w.weight.reshape([4]))
    a = b = paddle.zeros_like(k[:, 0])
    p = paddle.full_like(a, -1e38)
    out = []
    for t in range(x.shape[1]):
        q = paddle.maximum(p + w, k[:, t])
        e1, e2 = paddle.exp(p + w - q), paddle.exp(k[:, t] - q)
        a, b, p = e1 * a + e2 * v[:, t], e1 * b + e2, q
        out.append(a / b)
    return paddle.stack(out, 1), (a, b, p)
""", ["w = -paddle.exp => w = paddle.exp", "paddle.exp(p + w - q) => paddle.exp(p - q)", "out.append(a / b) => out.append(a)"]),
    Program("edges that attend", "normal(5, 4)", """
self.fc = nn.Linear(4, 3, bias=False)
self.a = nn.Linear(6, 1, bias=False)
def forward(self, x):
    h = self.fc(x)
    src, dst = torch.tensor([0, 1, 2, 3, 4, 0, 2]), torch.tensor([0, 0, 1, 2, 2, 3, 4])
    s = F.leaky_relu(self.a(torch.cat([h[src], h[dst]], -1)), 0.25)[:, 0].exp()
    z = torch.zeros_like(h[:, 0]).index_add(0, dst, s)
    return torch.zeros_like(h).index_add(0, dst, h[src] * (s / z[dst]).unsqueeze(1))
""", """
self.fc = nn.Linear(4, 3, bias_attr=False)
self.a = nn.Linear(6, 1, bias_attr=False)
def forward(self, x):
    h = self.fc(x)
    src, dst = paddle.to_tensor([0, 1, 2, 3, 4, 0, 2]), paddle.to_tensor([0, 0, 1, 2, 2, 3, 4])
    s = F.leaky_relu(self.a(paddle.concat([h[src], h[dst]], -1)), 0.25)[:, 0].exp()
    z = paddle.geometric.segment_sum(s, dst)
    return paddle.geometric.segment_sum(h[src] * (s / z[dst]).unsqueeze(1), dst)
""", ["[h[src], h[dst]] => [h[dst], h[src]]", "z = paddle.geometric.segment_sum(s, dst) => z = paddle.geometric.segment_mean(s, dst)", "h[src] * (s => h[dst] * (s"]),
    Program("a cosine transform", "normal(3, 8)", """
import math
self.fc = nn.Linear(8, 8)
def forward(self, x):
    x = self.fc(x)
    v = torch.fft.fft(torch.cat([x[:, ::2], x[:, 1::2].flip([1])], 1))
    k = -torch.arange(8, dtype=x.dtype) * math.pi / 16
    return 2 * (v.real * k.cos() - v.imag * k.sin())
""", """
import math
self.fc = nn.Linear(8, 8)
def forward(self, x):
    x = self.fc(x)
    v = paddle.fft.fft(paddle.concat([x[:, ::2], x[:, 1::2].flip([1])], 1))
    k = -paddle.arange(8, dtype=x.dtype) * math.pi / 16
    return 2 * (v.real() * k.cos() - v.imag() * k.sin())
""", ["x[:, 1::2].flip([1]) => x[:, 1::2]", "math.pi / 16 => math.pi / 8", "k.cos() - v.imag() => k.cos() + v.imag()"]),
    Program("weights by another net", "normal(3, 4), normal(3, 3)", """
self.h = nn.Linear(3, 25)
def forward(self, x, z):
    w = self.h(z)
    return torch.bmm(w[:, :20].reshape(3, 5, 4), x.unsqueeze(-1)).squeeze(-1) + w[:, 20:]
""", """
self.h = nn.Linear(3, 25)
def forward(self, x, z):
    w = self.h(z)
    return paddle.bmm(w[:, :20].reshape([3, 5, 4]), x.unsqueeze(-1)).squeeze(-1) + w[:, 20:]
""", ["reshape([3, 5, 4]) => reshape([3, 4, 5]).transpose([0, 2, 1])", "+ w[:, 20:] => + w[:, 15:20]"]),
    Program("statistics of all batches", "normal(6, 4)", """
self.fc = nn.Linear(4, 4, bias=False)
self.bn = nn.BatchNorm1d(4, momentum=None)
def forward(self, x):
    return self.bn(self.fc(x))
""", """
class Counting(nn.BatchNorm1D):
    def __init__(self, n):
        super().__init__(n)
        self.register_buffer("num_batches_tracked", paddle.zeros([], dtype="int64"))
    def forward(self, x):
        self.num_batches_tracked.set_value(self.num_batches_tracked + 1)
        k = 1.0 / float(self.num_batches_tracked)
        with paddle.no_grad():
            self._mean.set_value(self._mean * (1 - k) + x.mean(0) * k)
            self._variance.set_value(self._variance * (1 - k) + x.var(0) * k)
        return (x - x.mean(0)) / paddle.sqrt(x.var(0, unbiased=False) + 1e-5) * self.weight + self.bias
self.fc = nn.Linear(4, 4, bias_attr=False)
self.bn = Counting(4)
def forward(self, x):
    return self.bn(self.fc(x))
""", ["x.mean(0) * k => 0.5 * x.mean(0) * k", "tracked + 1) => tracked + 2)"], "modes=['train'], calls=2"),
    training("rows of an embedding", """
self.words = nn.Embedding(20, 4, sparse=True)
self.opt = torch.optim.SGD([*self.net.parameters(), *self.words.parameters()], lr=0.5)
def step(self, i, t):
    self.opt.zero_grad()
    loss = F.mse_loss(self.net(self.words(i).mean(1)), t)
    loss.backward()
    self.opt.step()
    return loss
""", """
self.words = nn.Embedding(20, 4, sparse=True)
self.opt = paddle.optimizer.SGD(0.5, parameters=[*self.net.parameters(), *self.words.parameters()])
def step(self, i, t):
    self.opt.clear_grad()
    loss = F.mse_loss(self.net(self.words(i).mean(1)), t)
    loss.backward()
    self.opt.step()
    return loss
""", ".mean(1) => .sum(1)", "SGD(0.5 => SGD(0.4", "[*self.net.parameters(), *self.words.parameters()] => self.net.parameters()", batch="integers(6, 3, high=20), normal(6, 3)"),
    training("gradients that do not fight", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    y = self.net(x)
    first, second = F.mse_loss(y[:, 0], t[:, 0]), F.mse_loss(y[:, 1] + y[:, 0], -t[:, 0])
    ps = list(self.net.parameters())
    a, b = [torch.cat([g.flatten() for g in torch.autograd.grad(loss, ps, retain_graph=True)]) for loss in (first, second)]
    d = a @ b
    g, k = (a + b - d / (b @ b) * b if d < 0 else a + b), 0
    for p in ps:
        p.grad = g[k:k + p.numel()].reshape(p.shape).clone()
        k += p.numel()
    self.opt.step()
    return first, second
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    y = self.net(x)
    first, second = F.mse_loss(y[:, 0], t[:, 0]), F.mse_loss(y[:, 1] + y[:, 0], -t[:, 0])
    ps = list(self.net.parameters())
    a, b = [paddle.concat([g.flatten() for g in paddle.grad(loss, ps, retain_graph=True)]) for loss in (first, second)]
    d = a @ b
    g, k = (a + b - d / (b @ b) * b if d < 0 else a + b), 0
    for p in ps:
        p.grad = g[k:k + p.size].reshape(p.shape).clone()
        k += p.size
    self.opt.step()
    return first, second
""", "y[:, 1] + y[:, 0] => y[:, 1] - y[:, 0]", "-t[:, 0]) => t[:, 0])"),
]
