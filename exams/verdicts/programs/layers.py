"""Norms, linear layers, products, embeddings; weight norm and spectral norm; tied weights, buffers, several calls."""

from exams.verdicts.program import Program

ROWS, PICTURE, WORDS = "normal(4, 6)", "normal(3, 4, 5, 5)", "integers(2, 7, high=11)"
EPSILON = {"norm_epsilon": 1e-6}
BATCH = {"norm_epsilon": 1e-6, ".running_var": 0.0}  # the biased variance is remembered: a listed difference


def rows(name: str, built: str, line: str, *mistakes: str, paddle: tuple[str, str] = ("", ""), inputs: str = ROWS, **more) -> Program:
    text = "{}\ndef forward(self, x):\n    return {}\n".format
    return Program(name, inputs, text(built, line), text(paddle[0] or built, paddle[1] or line) if any(paddle) else "", mistakes, **more)


PROGRAMS = [
    rows("layer norm", "self.fc = nn.Linear(6, 8)\nself.norm = nn.LayerNorm(8)", "self.norm(self.fc(x))", "nn.LayerNorm(8) => nn.LayerNorm(8, epsilon=1e-3)",
         "self.norm(self.fc(x)) => self.fc(x) + self.norm(self.fc(x))", known=EPSILON),
    rows("layer norm of a transformer", "self.norm = nn.LayerNorm(6, eps=1e-6)", "self.norm(x * 0.01)", "nn.LayerNorm(6, epsilon=1e-6) => nn.LayerNorm(6)",
         paddle=("self.norm = nn.LayerNorm(6, epsilon=1e-6)", ""), known=EPSILON),
    rows("layer norm over two axes", "self.norm = nn.LayerNorm([5, 5])", "self.norm(x)", "self.norm(x) => self.norm(x.transpose([0, 1, 3, 2]))",
         inputs=PICTURE, known=EPSILON),
    rows("layer norm of channels", "self.norm = nn.LayerNorm(4)", "self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)",
         "x.transpose([0, 2, 3, 1]) => x.transpose([0, 3, 2, 1])",
         paddle=("", "self.norm(x.transpose([0, 2, 3, 1])).transpose([0, 3, 1, 2])"), inputs=PICTURE, known=EPSILON),
    rows("norm of rows without variance", "self.norm = nn.LayerNorm(6)", "self.norm(x * 0 + 2.5 + x[:, :1])", "x[:, :1]) => x[:, :1] + 0.001 * x)", known=EPSILON),
    rows("batch norm", "self.conv = nn.Conv2d(4, 3, 3)\nself.norm = nn.BatchNorm2d(3)", "F.relu(self.norm(self.conv(x)))",
         "F.relu(self.norm(self.conv(x))) => self.norm(F.relu(self.conv(x)))", inputs=PICTURE, known=BATCH),
    rows("momentum of a batch norm", "self.norm = nn.BatchNorm2d(4, momentum=0.3)", "self.norm(x)", "momentum=0.7 => momentum=0.3",
         paddle=("self.norm = nn.BatchNorm2D(4, momentum=0.7)", ""), inputs=PICTURE, known=BATCH, options="calls=2"),
    rows("epsilon of a batch norm", "self.norm = nn.BatchNorm2d(4, eps=1e-3)", "self.norm(x * 0.1)", "epsilon=1e-3 => epsilon=1e-5",
         paddle=("self.norm = nn.BatchNorm2D(4, epsilon=1e-3)", ""), inputs=PICTURE, known=BATCH),
    rows("batch norm of rows", "self.fc = nn.Linear(6, 5)\nself.norm = nn.BatchNorm1d(5)", "torch.tanh(self.norm(self.fc(x)))",
         "paddle.tanh(self.norm(self.fc(x))) => paddle.tanh(self.fc(x))", known=BATCH),
    rows("batch norm without scale", "self.norm = nn.BatchNorm2d(4, affine=False)", "self.norm(x) * 0.5", "* 0.5 => * 0.25",
         paddle=("self.norm = nn.BatchNorm2D(4, weight_attr=False, bias_attr=False)", ""), inputs=PICTURE, known=BATCH),
    rows("batch norm kept in eval", "self.norm = nn.BatchNorm2d(4).eval()", "F.batch_norm(x, self.norm.running_mean, self.norm.running_var, self.norm.weight, self.norm.bias)",
         "training=False => training=True", paddle=("self.norm = nn.BatchNorm2D(4)",
         "F.batch_norm(x, self.norm._mean, self.norm._variance, self.norm.weight, self.norm.bias, training=False)"), inputs=PICTURE, known=BATCH),
    rows("instance norm", "self.conv = nn.Conv2d(4, 3, 3)\nself.norm = nn.InstanceNorm2d(3, affine=True)", "self.norm(self.conv(x))",
         "self.norm(self.conv(x)) => F.layer_norm(self.conv(x), [3, 3, 3])",
         paddle=("self.conv = nn.Conv2D(4, 3, 3)\nself.norm = nn.InstanceNorm2D(3, weight_attr=None)".replace(", weight_attr=None", ""), ""),
         inputs=PICTURE, known=EPSILON),
    rows("instance norm without scale", "self.conv = nn.Conv2d(4, 3, 3)\nself.norm = nn.InstanceNorm2d(3)", "self.norm(self.conv(x))",
         "self.norm(self.conv(x)) => self.norm(self.conv(x)) * 0.99",
         paddle=("self.conv = nn.Conv2D(4, 3, 3)\nself.norm = nn.InstanceNorm2D(3, weight_attr=False, bias_attr=False)", ""), inputs=PICTURE, known=EPSILON),
    rows("group norm", "self.norm = nn.GroupNorm(2, 4)", "self.norm(x)", "nn.GroupNorm(2, 4) => nn.GroupNorm(4, 4)", inputs=PICTURE, known=EPSILON),
    rows("group norm of one group", "self.norm = nn.GroupNorm(1, 4, eps=1e-6)", "self.norm(x * 0.01)", "epsilon=1e-6 => epsilon=1e-5",
         paddle=("self.norm = nn.GroupNorm(1, 4, epsilon=1e-6)", ""), inputs=PICTURE, known=EPSILON),
    Program("root mean square norm", ROWS, """
self.weight = nn.Parameter(torch.ones(6))
def forward(self, x):
    scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return x * scale * self.weight
""", """
self.weight = self.create_parameter([6], default_initializer=nn.initializer.Constant(1.0))
def forward(self, x):
    scale = paddle.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return x * scale * self.weight
""", ["+ 1e-6 => + 1e-3", "x * scale * self.weight => x * scale * (1 + self.weight)"]),
    Program("a norm written out", ROWS, """
self.gamma = nn.Parameter(torch.ones(6))
self.beta = nn.Parameter(torch.zeros(6))
def forward(self, x):
    mean = x.mean(-1, keepdim=True)
    var = (x - mean).pow(2).mean(-1, keepdim=True)
    return self.gamma * (x - mean) / torch.sqrt(var + 1e-12) + self.beta
""", """
self.gamma = self.create_parameter([6], default_initializer=nn.initializer.Constant(1.0))
self.beta = self.create_parameter([6], is_bias=True)
def forward(self, x):
    mean = x.mean(-1, keepdim=True)
    var = (x - mean).pow(2).mean(-1, keepdim=True)
    return self.gamma * (x - mean) / paddle.sqrt(var + 1e-12) + self.beta
""", ["/ paddle.sqrt(var + 1e-12) => / (paddle.sqrt(var) + 1e-3)", "* (x - mean) / => * x /"]),
    Program("adaptive instance norm", "normal(2, 3, 5, 5), normal(2, 4)", """
self.style = nn.Linear(4, 6)
def forward(self, x, w):
    gamma, beta = self.style(w).chunk(2, 1)
    y = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()
    return y * (1 + gamma[:, :, None, None]) + beta[:, :, None, None]
""", "", ["gamma, beta = => beta, gamma =", "(1 + gamma[:, :, None, None]) => gamma[:, :, None, None]"]),
    rows("two layers", "self.a = nn.Linear(6, 8)\nself.b = nn.Linear(8, 3)", "self.b(torch.tanh(self.a(x)))", "paddle.tanh(self.a(x)) => self.a(x)"),
    rows("a sequence of layers", "self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 2))", "self.net(x)",
         "nn.Sigmoid() => nn.Tanh()", "nn.ReLU() => nn.LeakyReLU()"),
    rows("layers in a list", "self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(3)])",
         "self.layers[2](self.layers[1](self.layers[0](x).tanh()).tanh())", "self.layers[2](self.layers[1]( => self.layers[1](self.layers[2](",
         paddle=("self.layers = nn.LayerList([nn.Linear(6, 6) for _ in range(3)])", "")),
    rows("bilinear form", "self.form = nn.Bilinear(3, 3, 4)", "self.form(x[:, :3], x[:, 3:])", "x[:, :3], x[:, 3:] => x[:, 3:], x[:, :3]",
         paddle=("self.form = nn.Bilinear(3, 3, 4)", "")),
    rows("residual with a gate", "self.a = nn.Linear(6, 6)\nself.gate = nn.Linear(6, 6)", "x + torch.sigmoid(self.gate(x)) * self.a(x)",
         "self.gate(x)) * self.a(x) => self.gate(x)) + self.a(x)"),
    Program("low rank update", ROWS, """
self.fc = nn.Linear(6, 5)
self.down = nn.Linear(6, 2, bias=False)
self.up = nn.Linear(2, 5, bias=False)
def forward(self, x):
    return self.fc(x) + self.up(self.down(x)) * (16 / 2)
""", """
self.fc = nn.Linear(6, 5)
self.down = nn.Linear(6, 2, bias_attr=False)
self.up = nn.Linear(2, 5, bias_attr=False)
def forward(self, x):
    return self.fc(x) + self.up(self.down(x)) * (16 / 2)
""", ["(16 / 2) => (1 / 2)"]),
    Program("products by einsum", "normal(2, 3, 4), normal(2, 5, 4)", """
self.fc = nn.Linear(4, 4)
def forward(self, q, k):
    return torch.einsum("bid,bjd->bij", self.fc(q), k)
""", "", ["bij => bji"]),
    Program("products of batches", "normal(2, 3, 4), normal(2, 4, 5)", """
self.fc = nn.Linear(4, 4)
def forward(self, a, b):
    return torch.bmm(self.fc(a), b) / 4 ** 0.5
""", "", ["/ 4 ** 0.5 => * 4 ** 0.5"]),
    Program("a matrix and a vector", "normal(5, 4), normal(4)", """
self.fc = nn.Linear(4, 4)
def forward(self, a, v):
    return torch.mv(self.fc(a), v), torch.dot(v, v), torch.outer(v, v)
""", "", ["paddle.dot(v, v) => paddle.dot(v, v).sqrt()"]),
    Program("inverse of a small matrix", ROWS, """
self.fc = nn.Linear(6, 9)
def forward(self, x):
    m = self.fc(x).reshape((4, 3, 3)) + 4 * torch.eye(3)
    return torch.inverse(m)
""", "", ["paddle.inverse(m) => paddle.inverse(m).transpose([0, 2, 1])"]),
    Program("determinant and trace", ROWS, """
self.fc = nn.Linear(6, 9)
def forward(self, x):
    m = self.fc(x).reshape((4, 3, 3)) + 3 * torch.eye(3)
    return torch.linalg.det(m), m.diagonal(dim1=1, dim2=2).sum(-1)
""", """
self.fc = nn.Linear(6, 9)
def forward(self, x):
    m = self.fc(x).reshape((4, 3, 3)) + 3 * paddle.eye(3)
    return paddle.linalg.det(m), m.diagonal(axis1=1, axis2=2).sum(-1)
""", ["paddle.linalg.det(m) => paddle.linalg.det(2 * m)"]),
    Program("solving a system", ROWS, """
self.fc = nn.Linear(6, 9)
def forward(self, x):
    m = self.fc(x).reshape((4, 3, 3)) + 4 * torch.eye(3)
    return torch.linalg.solve(m, x[:, :3].unsqueeze(-1))
""", "", ["x[:, :3] => x[:, 3:]"]),
    Program("triangular parts", "normal(2, 4, 4)", """
self.fc = nn.Linear(4, 4)
def forward(self, x):
    return torch.triu(self.fc(x), diagonal=1) + torch.tril(self.fc(x), diagonal=-1) * 2
""", "", ["diagonal=1) => diagonal=0)"]),
    rows("embedding", "self.words = nn.Embedding(11, 5)", "self.words(x)", "self.words(x) => self.words((x + 1) % 11)", inputs=WORDS),
    rows("embedding with padding", "self.words = nn.Embedding(11, 5, padding_idx=0)", "self.words(x).sum(1)", ", padding_idx=0 => ", inputs=WORDS),
    rows("embedding, another row of padding", "self.words = nn.Embedding(11, 5, padding_idx=10)", "self.words(x).mean(1) * 3",
         "padding_idx=10 => padding_idx=0", inputs=WORDS),
    rows("embedding scaled by its width", "self.words = nn.Embedding(11, 16)", "self.words(x) * 16 ** 0.5", "16 ** 0.5 => 16 ** -0.5", inputs=WORDS),
    Program("positions", WORDS, """
self.words = nn.Embedding(11, 6)
self.places = nn.Embedding(7, 6)
def forward(self, x):
    at = torch.arange(7)
    return self.words(x) + self.places(at)
""", "", ["paddle.arange(7) => paddle.arange(6, -1, -1)"]),
    Program("position ids of a batch", WORDS, """
self.words = nn.Embedding(11, 6)
self.places = nn.Embedding(8, 6)
def forward(self, x):
    ids = torch.arange(7).unsqueeze(0)
    return self.words(x) + self.places(ids)
""", """
self.words = nn.Embedding(11, 6)
self.places = nn.Embedding(8, 6)
def forward(self, x):
    ids = paddle.arange(7).unsqueeze(0).expand([2, 7])
    return self.words(x) + self.places(ids)
""", ["paddle.arange(7).unsqueeze(0) => paddle.arange(1, 8).unsqueeze(0)"]),
    Program("sinusoids kept with the weights", "normal(2, 7, 6)", """
self.fc = nn.Linear(6, 6)
self.register_buffer("table", torch.sin(torch.arange(42.0)).reshape(7, 6))
def forward(self, x):
    return self.fc(x) + self.table
""", """
self.fc = nn.Linear(6, 6)
self.register_buffer("table", paddle.sin(paddle.arange(42.0)).reshape([7, 6]))
def forward(self, x):
    return self.fc(x) + self.table
""", ["self.fc(x) + self.table => self.fc(x + self.table)"]),
    Program("a buffer that is not saved", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("freq", torch.ones(5) * 2, persistent=False)
def forward(self, x):
    return torch.cos(self.fc(x) * self.freq)
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("freq", paddle.ones([5]) * 2, persistable=False)
def forward(self, x):
    return paddle.cos(self.fc(x) * self.freq)
""", ["paddle.ones([5]) * 2 => paddle.ones([5]) * 3"]),
    Program("rotary positions", "normal(2, 5, 6)", """
self.q = nn.Linear(6, 6)
self.register_buffer("angle", torch.outer(torch.arange(5.0), torch.tensor([1.0, 0.5, 0.25])), persistent=False)
def forward(self, x):
    q = self.q(x)
    a, b = q[..., :3], q[..., 3:]
    return torch.cat([a * self.angle.cos() - b * self.angle.sin(), a * self.angle.sin() + b * self.angle.cos()], -1)
""", """
self.q = nn.Linear(6, 6)
self.register_buffer("angle", paddle.outer(paddle.arange(5.0), paddle.to_tensor([1.0, 0.5, 0.25])), persistable=False)
def forward(self, x):
    q = self.q(x)
    a, b = q[..., :3], q[..., 3:]
    return paddle.concat([a * self.angle.cos() - b * self.angle.sin(), a * self.angle.sin() + b * self.angle.cos()], -1)
""", ["q[..., :3], q[..., 3:] => q[..., 0::2], q[..., 1::2]", "[1.0, 0.5, 0.25] => [1.0, 0.25, 0.5]"]),
    Program("a scalar parameter", ROWS, """
self.fc = nn.Linear(6, 5)
self.s = nn.Parameter(torch.tensor(2.0))
def forward(self, x):
    return self.fc(x) * self.s.exp()
""", """
self.fc = nn.Linear(6, 5)
self.s = self.create_parameter([], default_initializer=nn.initializer.Constant(2.0))
def forward(self, x):
    return self.fc(x) * self.s.exp()
""", ["self.s.exp() => self.s"]),
    Program("a scalar buffer", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("s", torch.tensor(0.5))
def forward(self, x):
    return self.fc(x) ** 2 * self.s
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("s", paddle.to_tensor(0.5))
def forward(self, x):
    return self.fc(x) ** 2 * self.s
""", ["* self.s => * self.s * self.s"]),
    Program("a mixture weight of one element", ROWS, """
self.fc = nn.Linear(6, 6)
self.alpha = nn.Parameter(torch.zeros(1))
def forward(self, x):
    w = torch.sigmoid(self.alpha)
    return w * x + (1 - w) * self.fc(x)
""", """
self.fc = nn.Linear(6, 6)
self.alpha = self.create_parameter([1], is_bias=True)
def forward(self, x):
    w = F.sigmoid(self.alpha)
    return w * x + (1 - w) * self.fc(x)
""", ["w * x + (1 - w) * self.fc(x) => w * self.fc(x) + (1 - w) * x"]),
    Program("tied layers", ROWS, """
self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
self.b.weight = self.a.weight
def forward(self, x):
    return self.b(torch.tanh(self.a(x)))
""", "", ["paddle.tanh(self.a(x)) => F.sigmoid(self.a(x))", "self.b.weight = self.a.weight => self.c = 0"]),
    Program("a decoder tied to its words", WORDS, """
self.words = nn.Embedding(11, 6)
self.fc = nn.Linear(6, 6)
def forward(self, x):
    return self.fc(self.words(x)) @ self.words.weight.T
""", "", ["@ self.words.weight.T => @ self.words.weight.T.detach()"]),
    Program("a module under two names", ROWS, """
self.a = nn.Linear(6, 6)
self.again = self.a
def forward(self, x):
    return self.again(torch.relu(self.a(x)))
""", """
self.a = nn.Linear(6, 6)
self.again = self.a
def forward(self, x):
    return self.again(F.relu(self.a(x)))
""", ["F.relu(self.a(x)) => F.relu(-self.a(x))"]),
    Program("weight norm", ROWS, """
self.fc = nn.utils.weight_norm(nn.Conv1d(2, 4, 3))
def forward(self, x):
    return self.fc(x.reshape((4, 2, 3)))
""", """
self.fc = nn.utils.weight_norm(nn.Conv1D(2, 4, 3))
def forward(self, x):
    return self.fc(x.reshape((4, 2, 3)))
""", ["self.fc(x.reshape((4, 2, 3))) => self.fc(x.reshape((4, 2, 3)).flip([1]))"]),
    Program("weight norm over another axis", PICTURE, """
self.conv = nn.utils.weight_norm(nn.Conv2d(4, 3, 3), dim=1)
def forward(self, x):
    return self.conv(x)
""", """
self.conv = nn.utils.weight_norm(nn.Conv2D(4, 3, 3), dim=1)
def forward(self, x):
    return self.conv(x)
""", ["return self.conv(x) => return self.conv(x * 0.9)"]),
    Program("spectral norm", PICTURE, """
self.conv = nn.utils.spectral_norm(nn.Conv2d(4, 3, 3))
def forward(self, x):
    return self.conv(x)
""", """
self.conv = nn.utils.spectral_norm(nn.Conv2D(4, 3, 3))
def forward(self, x):
    return self.conv(x)
""", ["nn.utils.spectral_norm(nn.Conv2D(4, 3, 3)) => nn.utils.spectral_norm(nn.Conv2D(4, 3, 3), n_power_iterations=2)"]),
    Program("spectral norm of a linear layer", ROWS, """
self.fc = nn.utils.spectral_norm(nn.Linear(6, 5))
def forward(self, x):
    return torch.tanh(self.fc(x))
""", "", ["paddle.tanh(self.fc(x)) => paddle.tanh(self.fc(x)) + 0.1"]),
    Program("spectral norm, three calls", ROWS, """
self.fc = nn.utils.spectral_norm(nn.Linear(6, 5))
def forward(self, x):
    return self.fc(x)
""", "", ["nn.utils.spectral_norm(nn.Linear(6, 5)) => nn.utils.spectral_norm(nn.Linear(6, 5), n_power_iterations=2)"], options='calls=3, modes=["train"]'),
    Program("a counter of calls", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("seen", torch.zeros(1))
def forward(self, x):
    self.seen += 1
    return self.fc(x) / self.seen.item()
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("seen", paddle.zeros([1]))
def forward(self, x):
    self.seen += 1
    return self.fc(x) / self.seen.item()
""", ["self.seen += 1 => self.seen += 2"], options="calls=3"),
    Program("an average kept by hand", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("mean", torch.zeros(5))
def forward(self, x):
    y = self.fc(x)
    if self.training:
        self.mean.mul_(0.9).add_(0.1 * y.detach().mean(0))
    return y - self.mean
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("mean", paddle.zeros([5]))
def forward(self, x):
    y = self.fc(x)
    if self.training:
        self.mean.set_value(0.9 * self.mean + 0.1 * y.detach().mean(0))
    return y - self.mean
""", ["0.9 * self.mean + 0.1 * y => 0.1 * self.mean + 0.9 * y"], options="calls=2"),
    Program("an average that is written and not used", ROWS, """
self.fc = nn.Linear(6, 5)
self.register_buffer("mean", torch.zeros(5))
def forward(self, x):
    y = self.fc(x)
    self.mean.copy_(0.9 * self.mean + 0.1 * y.detach().mean(0))
    return y
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("mean", paddle.zeros([5]))
def forward(self, x):
    y = self.fc(x)
    self.mean.set_value(0.9 * self.mean + 0.1 * y.detach().mean(0))
    return y
""", ["0.1 * y.detach().mean(0) => 0.1 * y.detach().max(0)", "self.mean.set_value(0.9 * self.mean + 0.1 * y.detach().mean(0)) => pass"]),
    Program("a branch that eval leaves out", ROWS, """
self.fc = nn.Linear(6, 5)
self.aux = nn.Linear(6, 5)
def forward(self, x):
    if self.training:
        return self.fc(x), self.aux(x)
    return self.fc(x)
""", "", ["if self.training: => if not self.training:"]),
]
