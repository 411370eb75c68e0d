"""Programs whose forward says little: detached values, straight paths, scaled and tiny gradients, in-place changes."""

from exams.verdicts.program import Program

ROWS = "normal(4, 6)"


def through(name: str, line: str, *mistakes: str, paddle: str = "", built: str = "self.fc = nn.Linear(6, 5)", twin_built: str = "", inputs: str = ROWS, **more) -> Program:
    text = "{}\ndef forward(self, x):\n    return {}\n".format
    return Program(name, inputs, text(built, line), text(twin_built or built, paddle or line.replace("torch", "paddle")), mistakes, **more)


SCALED = """
class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()
    @staticmethod
    def backward(ctx, g):
        return -0.5 * g
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return torch.tanh(self.fc(Scaled.apply(x)))
"""
PROGRAMS = [
    through("an input cut off", "torch.tanh(self.fc(x))", "self.fc(x) => self.fc(x.detach())"),
    through("a detached target", "(self.fc(x) - x[:, :5].detach()) ** 2", ".detach() => "),
    through("a branch without gradient", "self.a(x) * self.b(x).detach()", "self.b(x).detach() => self.b(x)", "self.a(x) * self.b(x).detach() => self.a(x).detach() * self.b(x)",
            built="self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)"),
    through("rounding with a gradient", "x[:, :5] + (torch.round(self.fc(x)) - self.fc(x)).detach() + self.fc(x)", "- self.fc(x)).detach() => - self.fc(x))"),
    through("clipped with a gradient", "self.fc(x) + (torch.clamp(self.fc(x), -0.5, 0.5) - self.fc(x)).detach()", "self.fc(x) + (paddle.clip(self.fc(x), -0.5, 0.5) - self.fc(x)).detach() => paddle.clip(self.fc(x), -0.5, 0.5)",
            paddle="self.fc(x) + (paddle.clip(self.fc(x), -0.5, 0.5) - self.fc(x)).detach()", known={"float32 bounds": 1e-6}),
    through("gradient shrunk", "self.fc(0.1 * x + 0.9 * x.detach())", "0.1 * x + 0.9 * x.detach() => 0.2 * x + 0.8 * x.detach()", "0.1 * x + 0.9 * x.detach() => x"),
    through("a second layer frozen", "self.b(torch.tanh(self.a(x)))", "self.b.weight.stop_gradient = True => self.b.weight.stop_gradient = False",
            built="self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 5)\nself.b.weight.requires_grad_(False)",
            twin_built="self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 5)\nself.b.weight.stop_gradient = True"),
    Program("a gradient turned round", ROWS, SCALED, SCALED.replace("torch.autograd.Function", "paddle.autograd.PyLayer").replace("torch", "paddle"), ["-0.5 * g => 0.5 * g", "-0.5 * g => -1.0 * g"]),
    Program("a square of one's own", ROWS, """
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 2 * x * g
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Square.apply(self.fc(x))
""", """
class Square(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensor()
        return 2 * x * g
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Square.apply(self.fc(x))
""", ["2 * x * g => x * g"]),
    Program("without a graph in part", ROWS, """
self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)
def forward(self, x):
    with torch.no_grad():
        scale = torch.exp(self.a(x))
    return self.b(x) * scale
""", "", ["with paddle.no_grad(): => if True:"]),
    through("tiny gradients", "self.fc(x) * 1e-8", "1e-8 => 1.1e-8", "self.fc(x) * => self.fc(x.detach()) *"),
    through("a tiny part of the gradient", "self.a(x) + 1e-5 * self.b(x)", "1e-5 * self.b(x) => 1e-5 * self.b(x.detach())", built="self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)"),
    through("a small summand", "self.a(x) + 1e-4 * torch.sin(self.b(x))", "1e-4 * => 1.1e-4 *", built="self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)"),
    through("large values", "1e6 * self.fc(x) + torch.sin(self.fc(x))", "paddle.sin => paddle.cos"),
    through("a difference of large numbers", "(self.fc(x) + 1000.0) - 1000.0", "- 1000.0 => - 1000.1"),
    through("saturated sigmoid", "torch.sigmoid(20 * self.fc(x))", "20 * => 21 *", paddle="F.sigmoid(20 * self.fc(x))"),
    through("gradient zero by symmetry", "F.softmax(self.fc(x), -1).sum(1) + self.fc(x).sum(1)", "+ self.fc(x).sum(1) => + 1.5 * self.fc(x).sum(1)"),
    through("a layer that nobody uses", "self.a(x)", "return self.a(x) => return self.a(x) + self.b(x)", built="self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 5)"),
    Program("two inputs, one without gradient", "normal(4, 6), normal(4, 6)", """
self.fc = nn.Linear(6, 5)
def forward(self, x, y):
    return self.fc(x) * self.fc(y.detach())
""", "", ["y.detach() => y", "self.fc(x) * => self.fc(x.detach()) *"]),
    Program("a keyword with a gradient", '{"x": normal(4, 6), "scale": normal(4, 1)}', """
self.fc = nn.Linear(6, 5)
def forward(self, x, scale):
    return self.fc(x) * scale
""", "", ["* scale => * scale.detach()", "* scale => * (2 * scale)"]),
    Program("inner modules called by keyword", ROWS, """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)
    def forward(self, value, residual):
        return self.fc(value) + residual
self.one = Block()
self.two = Block()
def forward(self, x):
    y = self.one(value=x, residual=x)
    return self.two(value=y, residual=x)
""", "", ["value=y, residual=x => value=y, residual=x.detach()", "value=y, residual=x => value=y, residual=y"]),
    Program("rows overwritten", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    z = y.clone()
    z[1] = 0.0
    z[2:] = z[2:] * 2
    return z
""", "", ["z[1] = 0.0 => z[0] = 0.0"]),
    Program("a picture written in place", "normal(2, 3, 4, 4)", """
self.conv = nn.Conv2d(3, 3, 1)
def forward(self, x):
    y = torch.zeros_like(x)
    y[:, :, 1:3, 1:3] = self.conv(x)[:, :, :2, :2]
    return y
""", "", ["[:, :, :2, :2] => [:, :, 1:3, 1:3]"]),
    Program("added in place", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = self.fc(x)
    y += x
    y *= 0.5
    return torch.tanh(y)
""", "", ["y += x => y -= x"]),
    Program("rectified in place", ROWS, """
self.fc = nn.Linear(6, 6)
self.out = nn.Linear(6, 2)
def forward(self, x):
    return self.out(F.relu_(self.fc(x)))
""", "", ["F.relu_ => F.tanh_"]),
    Program("written through a view", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = self.fc(x)
    parts = list(y.chunk(3, 1))
    parts[1] = parts[1] * 2
    return torch.cat(parts, 1)
""", "", ["parts[1] = parts[1] * 2 => parts[2] = parts[2] * 2"]),
    Program("a gradient asked for in the forward", ROWS, """
self.fc = nn.Linear(6, 1)
def forward(self, x):
    x.requires_grad_(True)
    e = torch.tanh(self.fc(x)).sum()
    force, = torch.autograd.grad(e, x, create_graph=True)
    return e, force
""", """
self.fc = nn.Linear(6, 1)
def forward(self, x):
    x.stop_gradient = False
    e = paddle.tanh(self.fc(x)).sum()
    force, = paddle.grad(e, x, create_graph=True)
    return e, force
""", ["return e, force => return e, -force"]),
    Program("steps along the gradient", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    x.requires_grad_(True)
    for _ in range(2):
        e = torch.tanh(self.fc(x)).pow(2).sum()
        g, = torch.autograd.grad(e, x, create_graph=True)
        x = x - 0.1 * g
    return x
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    x.stop_gradient = False
    for _ in range(2):
        e = paddle.tanh(self.fc(x)).pow(2).sum()
        g, = paddle.grad(e, x, create_graph=True)
        x = x - 0.1 * g
    return x
""", ["create_graph=True => create_graph=False", "x - 0.1 * g => x + 0.1 * g"]),
    Program("the same layer three times", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    for _ in range(3):
        x = torch.tanh(self.fc(x))
    return x
""", "", ["range(3) => range(4)", "self.fc(x) => self.fc(x) + x"]),
    Program("a siamese pair", "normal(4, 6), normal(4, 6)", """
self.fc = nn.Linear(6, 5)
def forward(self, a, b):
    return F.cosine_similarity(self.fc(a), self.fc(b))
""", "", ["self.fc(b) => self.fc(b).detach()"]),
    Program("predictor and stopped target", "normal(4, 6), normal(4, 6)", """
self.f = nn.Linear(6, 5)
self.p = nn.Linear(5, 5)
def forward(self, a, b):
    za, zb = self.f(a), self.f(b)
    return -(F.normalize(self.p(za), dim=1) * F.normalize(zb.detach(), dim=1)).sum(1)
""", "", ["zb.detach() => zb", "self.p(za) => self.p(za).detach()"]),
]
