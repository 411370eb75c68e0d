"""What goes on behind the graph: writes that it does not see, gradients led around it, tables made once, steps aside, and numbers
that Paddle keeps in float32."""

from exams.verdicts.program import Program
from exams.verdicts.programs.training import training

FLOAT32 = {"pow_exponent": 1e-6}
ROOT = {"norm_root": 1e-6}


def lone(name: str, torch: str, paddle: str, *mistakes: str, inputs: str = "normal(4, 6)", arguments: str = "self, x", **more) -> Program:
    """One expression of `y`, what a linear layer returns."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\ndef forward({arguments}):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(torch), text(paddle), mistakes, **more)


PROGRAMS = [
    Program("a write through data", "normal(4, 6)", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    y.data.clamp_(-0.2, 0.2)
    return y
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    y = y + (y.clip(-0.2, 0.2) - y).detach()
    return y
""", ["y = y + (y.clip(-0.2, 0.2) - y).detach() => y = y.clip(-0.2, 0.2)", "-0.2, 0.2 => -0.3, 0.3"]),
    Program("codes, straight through", "normal(8, 6)", """
self.enc = nn.Linear(6, 4)
self.codes = nn.Embedding(9, 4)
self.dec = nn.Linear(4, 6)
def forward(self, x):
    z = self.enc(x)
    d = z.pow(2).sum(1, keepdim=True) - 2 * z @ self.codes.weight.t() + self.codes.weight.pow(2).sum(1)
    q = self.codes(d.argmin(1))
    loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
    q = z + (q - z).detach()
    return self.dec(q), loss
""", "", ["q = z + (q - z).detach() => q = q + (z - q).detach() * 0", "F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach()) => F.mse_loss(q.detach(), z) + 0.25 * F.mse_loss(z.detach(), q)",
          "d.argmin(1) => d.argmax(1)"]),
    training("a step aside and back", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    loss.backward()
    aside = [p.grad * 0.1 for p in self.net.parameters()]
    with torch.no_grad():
        for p, e in zip(self.net.parameters(), aside):
            p.add_(e)
    self.opt.zero_grad()
    second = F.mse_loss(self.net(x), t)
    second.backward()
    with torch.no_grad():
        for p, e in zip(self.net.parameters(), aside):
            p.sub_(e)
    self.opt.step()
    self.opt.zero_grad()
    return {"here": loss, "aside": second}
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    loss.backward()
    aside = [p.grad * 0.1 for p in self.net.parameters()]
    with paddle.no_grad():
        for p, e in zip(self.net.parameters(), aside):
            p.set_value(p + e)
    self.opt.clear_grad()
    second = F.mse_loss(self.net(x), t)
    second.backward()
    with paddle.no_grad():
        for p, e in zip(self.net.parameters(), aside):
            p.set_value(p - e)
    self.opt.step()
    self.opt.clear_grad()
    return {"here": loss, "aside": second}
""", "p.set_value(p - e) => pass", "p.set_value(p + e) => p.set_value(p - 0.5 * e)"),
    training("a weight shrunk before the loss", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    self.net.a.weight.data.mul_(0.9)
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    self.net.a.weight.set_value(self.net.a.weight * 0.9)
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "self.net.a.weight.set_value(self.net.a.weight * 0.9) => pass", "self.net.a.weight * 0.9 => self.net.a.weight * 0.99"),
    lone("huber's loss", "F.huber_loss(y, x[:, :5], delta=0.7)", "F.smooth_l1_loss(y, x[:, :5], delta=0.7)", "delta=0.7 => delta=0.71", known=FLOAT32),
    lone("smooth l1 by huber's", "F.smooth_l1_loss(y, x[:, :5], beta=0.3)", "F.smooth_l1_loss(y, x[:, :5], delta=0.3) / 0.3", "delta=0.3) / 0.3 => delta=0.3)", known=FLOAT32),
    lone("celu of another alpha", "F.celu(y, 0.3)", "F.celu(y, 0.3)", "0.3 => 0.31", known=FLOAT32),
    lone("softshrink of another threshold", "F.softshrink(y, 0.3)", "F.softshrink(y, 0.3)", "0.3 => 0.31", known=FLOAT32),
    lone("a product added in parts", "torch.addmm(y @ y.t(), y, y.t(), beta=0.3, alpha=0.4)", "paddle.addmm(y @ y.t(), y, y.t(), beta=0.3, alpha=0.4)", "beta=0.3 => beta=0.35", known=FLOAT32),
    lone("norms of other powers", "y.norm(p=3, dim=1) + y.norm(p=1.5, dim=1)", "y.norm(p=3, axis=1) + y.norm(p=1.5, axis=1)", "p=3 => p=4", "p=1.5 => p=1.4", known=ROOT),
]
