"""Networks in a training step that go wrong themselves: by what is added, by what their modules keep from call to call."""

from exams.verdicts.program import Program, in_paddle
from exams.verdicts.programs.training import PADDLE_STEP, STEP

SGD = "\nself.net = Net()\nself.opt = torch.optim.SGD(self.net.parameters(), lr=0.05)"
PADDLE_SGD = "\nself.net = Net()\nself.opt = paddle.optimizer.SGD(0.05, parameters=self.net.parameters())"
IMPORTS = "import collections\nimport copy\n"


def trained(name: str, init: str, forward: str, *mistakes: str, others: str = "", paddle_init: str = "", paddle_forward: str = "",
            paddle_others: str = "", batch: str = "normal(6, 4), normal(6, 3)", **more) -> Program:
    """A network of these statements, which a plain step trains."""
    def net(first: str, body: str, around: str) -> str:
        lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()",
                 *(f"        {line}" for line in first.strip().splitlines()), "    def forward(self, x):",
                 *(f"        {line}" for line in body.strip().splitlines())]
        return IMPORTS + around + "\n".join(lines)

    port = in_paddle(net(paddle_init or init, paddle_forward or forward, paddle_others or others)) + PADDLE_SGD + PADDLE_STEP
    return Program(name, batch, net(init, forward, others) + SGD + STEP, port, mistakes, training=True, **more)


LAYERS = "self.a = nn.Linear(4, 8)\nself.b = nn.Linear(8, 3)"
BLOCK = """class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
    def forward(self, x):
        return torch.tanh(self.fc(x))
"""

PROGRAMS = [
    trained("two layers", LAYERS, "h = torch.tanh(self.a(x))\nreturn self.b(h)",
            "return self.b(h) => return self.b(h) + 0.1", "return self.b(h) => return self.b(h) * 1.1", "self.a(x) => self.a(x + 0.01)", "self.b(h) => self.b(h - 0.5)",
            "return self.b(h) => return self.b(h).round()"),
    trained("blocks in a row", "self.one = Block()\nself.two = Block()\nself.head = nn.Linear(4, 3)", "x = self.one(x)\nx = self.two(x)\nreturn self.head(x)",
            "tanh(self.fc(x)) => tanh(self.fc(x)) + 0.2", "x = self.two(x) => x = self.two(x) - 0.3", "x = self.two(x) => x = self.two(x + 0.1)", "x = self.two(x) => x = self.one(x)",
            "return self.head(x) => return self.head(x) + x.mean()", others=BLOCK),
    trained("a residual", "self.one = Block()\nself.head = nn.Linear(4, 3)", "y = x + self.one(x)\nreturn self.head(y)",
            "y = x + self.one(x) => y = self.one(x)", "y = x + self.one(x) => y = x + self.one(x) + 1e-3", "y = x + self.one(x) => y = x - self.one(x)", others=BLOCK),
    trained("a shift that is no weight", LAYERS + "\nself.register_buffer('shift', torch.tensor([0.5, -0.25, 0.125]))", "return self.b(torch.tanh(self.a(x))) + self.shift",
            "+ self.shift => - self.shift", "torch.tanh(self.a(x))) + self.shift => torch.tanh(self.a(x)))".replace("torch", "paddle"),
            paddle_init=LAYERS + "\nself.register_buffer('shift', torch.to_tensor([0.5, -0.25, 0.125]))"),
    trained("a hidden state that is kept", "self.fc = nn.Linear(4, 3)\nself.h = None", "y = self.fc(x)\nif self.h is not None:\n    y = y + 0.5 * self.h\nself.h = y.detach()\nreturn y",
            "0.5 * self.h => 0.6 * self.h", "self.h = y.detach() => pass", "y + 0.5 => y - 0.5", "self.h is not None => self.h is None and False"),
    trained("an attribute made late", "self.fc = nn.Linear(4, 3)", "y = self.fc(x)\nif hasattr(self, 'mean'):\n    y = y - self.mean\nself.mean = y.detach().mean(0)\nreturn y",
            "y = y - self.mean => y = y + self.mean", ".mean(0) => .mean()"),
    trained("a temperature that falls", LAYERS + "\nself.tau = 1.0", "y = self.b(torch.tanh(self.a(x))) / self.tau\nself.tau = max(0.5, self.tau * 0.9)\nreturn y",
            "self.tau * 0.9 => self.tau * 0.8", "max(0.5, => min(0.5,"),
    trained("a count of calls", LAYERS + "\nself.calls = 0", "y = self.b(torch.tanh(self.a(x)))\nself.calls += 1\nif self.calls > 1:\n    y = y * 1.5 + 0.25\nreturn y",
            "self.calls > 1 => self.calls > 2", "y * 1.5 + 0.25 => y * 1.5 + 0.75", "self.calls += 1 => self.calls += 0"),
    trained("a count in a buffer of the port", LAYERS + "\nself.calls = 0", "y = self.b(torch.tanh(self.a(x)))\nself.calls += 1\nreturn y / self.calls",
            "return y / calls => return y / (calls + 1)",
            paddle_init=LAYERS + "\nself.register_buffer('calls', torch.to_tensor(0, dtype='int64'))",
            paddle_forward="y = self.b(torch.tanh(self.a(x)))\nself.calls += 1\ncalls = int(self.calls)\nreturn y / calls"),
    trained("a count in a buffer of the reference", LAYERS + "\nself.register_buffer('calls', torch.tensor(0))", "y = self.b(torch.tanh(self.a(x)))\nself.calls += 1\nreturn y / self.calls.item()",
            "self.calls += 1 => self.calls += 2",
            paddle_init=LAYERS + "\nself.calls = 0", paddle_forward="y = self.b(torch.tanh(self.a(x)))\nself.calls += 1\nreturn y / self.calls"),
    trained("a queue of scales", LAYERS + "\nself.recent = collections.deque(maxlen=2)", "self.recent.append(1.0 + len(self.recent))\nreturn self.b(torch.tanh(self.a(x))) + sum(self.recent)",
            "maxlen=2 => maxlen=1", "1.0 + len => 1.5 + len"),
    trained("variance in one line or two", LAYERS + "\nself.eps = 1e-5", "h = self.a(x)\nm = h.mean(1, keepdim=True)\ncentred = h - m\nvar = (centred ** 2).mean(1, keepdim=True)\nreturn self.b(centred / torch.sqrt(var + self.eps))",
            "var + self.eps => var + 1e-3", "self.b(centred => 0.3 + self.b(centred",
            paddle_forward="h = self.a(x)\nm = h.mean(1, keepdim=True)\ncentred = h - m\nvar = (h * h).mean(1, keepdim=True) - m * m\nreturn self.b(centred / torch.sqrt(var + self.eps))"),
    trained("a projected lstm", "self.rnn = nn.LSTM(4, 6, batch_first=True, proj_size=3)", "y, (h, c) = self.rnn(x)\nreturn y[:, -1] + c[0].mean()",
            "y[:, -1] => y[:, 0]", "c[0].mean() => h[0].mean()", batch="normal(2, 5, 4), normal(2, 3)", paddle_init="self.rnn = nn.LSTM(4, 6, proj_size=3)"),
    Program("an averaged model", "normal(6, 4), normal(6, 3)", """
self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
self.average = torch.optim.swa_utils.AveragedModel(self.net)
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.05)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    self.average.update_parameters(self.net)
    return loss
""", """
import copy
self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
self.average = copy.deepcopy(self.net)
self.count = 0
self.opt = paddle.optimizer.SGD(0.05, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    with paddle.no_grad():
        for mean, p in zip(self.average.parameters(), self.net.parameters()):
            mean.set_value(mean + (p - mean) / (self.count + 1))
    self.count += 1
    return loss
""", ["(self.count + 1) => (self.count + 2)", "self.count += 1 => self.count += 2", "self.opt.step() => self.opt.step(); self.count = 0"], training=True),
]
