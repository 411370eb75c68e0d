"""What programs do besides computing: caches outside of a module, threads, numpy in between, exceptions that are caught, weights that
a forward changes, derivatives of one's own."""

from exams.verdicts.program import Program

ROWS = "normal(4, 6)"

PROGRAMS = [
    Program("a mask cached by a decorator", "normal(2, 4, 6)", """
import functools
@functools.lru_cache(maxsize=None)
def later(self, n):
    return torch.triu(torch.full((n, n), -1e4), diagonal=1)
self.fc = nn.Linear(6, 6)
def forward(self, x):
    q = self.fc(x)
    return torch.softmax(q @ q.transpose(1, 2) + self.later(4), -1) @ x
""", """
import functools
@functools.lru_cache(maxsize=None)
def later(self, n):
    return paddle.triu(paddle.full((n, n), -1e4), diagonal=1)
self.fc = nn.Linear(6, 6)
def forward(self, x):
    q = self.fc(x)
    return F.softmax(q @ q.transpose([0, 2, 1]) + self.later(4), -1) @ x
""", ["diagonal=1 => diagonal=2"]),
    Program("a count kept by the class", ROWS, """
class Counter:
    calls = 0
self.fc = nn.Linear(6, 5)
def forward(self, x):
    Counter.calls += 1
    return self.fc(x) * (1 + Counter.calls % 1)
""", mistakes=["1 + Counter.calls % 1 => 2 + Counter.calls % 1"]),
    Program("two threads", ROWS, """
from concurrent.futures import ThreadPoolExecutor
self.a = nn.Linear(6, 5)
self.b = nn.Linear(6, 5)
def forward(self, x):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda layer: layer(x), (self.a, self.b))
    return one * other
""", mistakes=["one * other => one * other * 1.01"]),
    Program("through numpy and back", ROWS, """
import numpy as np
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    scale = np.sqrt((y.detach().numpy() ** 2).mean(-1, keepdims=True) + 1e-6)
    return y / torch.from_numpy(scale)
""", """
import numpy as np
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    scale = np.sqrt((y.detach().numpy() ** 2).mean(-1, keepdims=True) + 1e-6)
    return y / paddle.to_tensor(scale)
""", ["+ 1e-6 => + 1e-4"]),
    Program("an exception that is caught", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = self.fc(x)
    try:
        y = y.reshape(5, 5)
    except RuntimeError:
        y = y * 2
    return y
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = self.fc(x)
    try:
        y = y.reshape([5, 5])
    except ValueError:
        y = y * 2
    return y
""", ["y = y * 2 => pass"]),
    Program("weights clipped in the forward", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    with torch.no_grad():
        self.fc.weight.clamp_(-0.2, 0.2)
    return self.fc(x)
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    with paddle.no_grad():
        self.fc.weight.set_value(self.fc.weight.clip(-0.2, 0.2))
    return self.fc(x)
""", ["-0.2, 0.2 => -0.3, 0.3"]),
    Program("words held to a length", "integers(2, 5, high=9)", """
self.words = nn.Embedding(9, 4, max_norm=1.0)
def forward(self, t):
    return self.words(t)
""", """
self.words = nn.Embedding(9, 4)
def forward(self, t):
    with paddle.no_grad():
        w = self.words.weight
        seen = F.one_hot(t.flatten(), 9).sum(0, keepdim=True).t() > 0
        length = w.norm(2, 1, keepdim=True)
        w.set_value(paddle.where(seen & (length > 1), w / (length + 1e-7), w))
    return self.words(t)
""", ["length > 1 => length > 2"]),
    Program("a copy written in place", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    x = x.clone()
    y = x * 3
    x.mul_(2)
    return self.fc(x), y
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    x = x.clone()
    y = x * 3
    x.scale_(2.0)
    return self.fc(x), y
""", ["x.scale_(2.0) => x.scale_(3.0)"]),
    Program("itself and its weight returned", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    return x, self.fc.bias, y, y
""", mistakes=["self.fc.bias, y, y => self.fc.bias * 1, y, y.detach()", "return x, => return x * 1.001,"]),
    Program("parameters in a list and in a dict", ROWS, """
self.scales = nn.ParameterList([nn.Parameter(torch.rand(6)) for _ in range(3)])
self.layers = nn.ModuleDict({"b": nn.Linear(6, 6), "a": nn.Linear(6, 6)})
def forward(self, x):
    for scale in self.scales:
        x = x * scale + 0.1
    for name in ("a", "b"):
        x = torch.tanh(self.layers[name](x))
    return x
""", """
self.scales = nn.ParameterList([self.create_parameter([6]) for _ in range(3)])
self.layers = nn.LayerDict({"b": nn.Linear(6, 6), "a": nn.Linear(6, 6)})
def forward(self, x):
    for scale in self.scales:
        x = x * scale + 0.1
    for name in ("a", "b"):
        x = F.tanh(self.layers[name](x))
    return x
""", ["(\"a\", \"b\") => (\"b\", \"a\")", "+ 0.1 => + 0.2"]),
    Program("a matrix of few entries", ROWS, """
self.fc = nn.Linear(6, 4)
def forward(self, x):
    y = self.fc(x)
    graph = torch.sparse_coo_tensor(torch.tensor([[0, 1, 3], [1, 2, 0]]), torch.tensor([1.0, 2.0, 3.0], dtype=y.dtype), (4, 4))
    return torch.sparse.mm(graph, y)
""", """
self.fc = nn.Linear(6, 4)
def forward(self, x):
    y = self.fc(x)
    graph = paddle.to_tensor([[0., 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0]], dtype=y.dtype)
    return graph @ y
""", ["[3, 0, 0, 0] => [0, 3, 0, 0]"]),
    Program("over rows at once", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return torch.func.vmap(lambda row: self.fc(row).softmax(0))(x)
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return F.softmax(self.fc(x), -1)
""", ["F.softmax(self.fc(x), -1) => F.softmax(self.fc(x), 0)"]),
    Program("a divergence by derivatives", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    if not x.requires_grad:
        x = x.detach().requires_grad_()
    with torch.enable_grad():
        y = torch.tanh(self.fc(x))
        div = sum(torch.autograd.grad(y[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(3))
    return div
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    if x.stop_gradient:
        x = x.detach()
        x.stop_gradient = False
    with paddle.enable_grad():
        y = F.tanh(self.fc(x))
        div = sum(paddle.grad(y[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(3))
    return div
""", ["range(3) => range(4)", "create_graph=True => create_graph=False, retain_graph=True"]),
    Program("a Jacobian by functions", "normal(3, 4)", """
self.fc = nn.Linear(4, 4)
def forward(self, x):
    return torch.func.vmap(torch.func.jacrev(lambda row: torch.tanh(self.fc(row))))(x)
""", """
self.fc = nn.Linear(4, 4)
def forward(self, x):
    y = F.tanh(self.fc(x))
    return (1 - y * y).unsqueeze(2) * self.fc.weight.t().unsqueeze(0)
""", ["1 - y * y => 1 - y"]),
    Program("values that are read off an object", ROWS, """
self.fc = nn.Linear(6, 5)
self.settings = {"scale": [2.0, 3.0]}
@property
def scale(self):
    return self.settings["scale"][-1]
def forward(self, x):
    return self.fc(x) * self.scale
""", mistakes=["self.settings[\"scale\"][-1] => self.settings[\"scale\"][0]"]),
    Program("without gradients, by a decorator", ROWS, """
self.fc = nn.Linear(6, 5)
self.out = nn.Linear(5, 3)
@torch.no_grad()
def features(self, x):
    return self.fc(x)
def forward(self, x):
    return self.out(self.features(x))
""", """
self.fc = nn.Linear(6, 5)
self.out = nn.Linear(5, 3)
@paddle.no_grad()
def features(self, x):
    return self.fc(x)
def forward(self, x):
    return self.out(self.features(x))
""", ["self.out(self.features(x)) => self.out(self.fc(x))"]),
    Program("a rate that grows with calls", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("step", torch.zeros((), dtype=torch.int64))
def forward(self, x):
    self.step += 1
    return self.fc(x) * torch.cos(self.step * 0.1)
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("step", paddle.zeros([], dtype="int64"))
def forward(self, x):
    self.step += 1
    return self.fc(x) * paddle.cos(self.step.astype(x.dtype) * 0.1)
""", ["self.step += 1 => self.step += 2"], options="calls=3"),
    Program("a memory of what came before", ROWS, """
self.fc = nn.Linear(6, 5)
self.seen = []
def forward(self, x):
    y = self.fc(x)
    self.seen.append(y.detach())
    return y - sum(self.seen) / len(self.seen) / 2
""", mistakes=["/ len(self.seen) / 2 => / len(self.seen) / 4", "self.seen.append(y.detach()) => self.seen.append(y)"], options="calls=3"),
    Program("bytes that wrap around", "integers(3, 5, high=256, dtype='uint8'), normal(3, 5)", """
def forward(self, t, x):
    return (t + 200, t * 3, t - 100, x * 1)
""", mistakes=["t + 200 => t + 199"]),
    Program("signs of nothing, and halves", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    halves = (y * 4).floor() / 2
    return torch.round(halves), torch.sign(halves * 0), y
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    halves = (y * 4).floor() / 2
    even = 2 * paddle.floor(halves / 2 + 0.5)
    near = paddle.where((halves - halves.floor()) == 0.5, even, paddle.round(halves))
    return near, paddle.sign(halves * 0), y
""", ["near, paddle.sign => paddle.floor(halves + 0.5), paddle.sign"]),
]
