"""Training steps: optimizers, schedules, clipping, accumulation, averages, penalties, two networks, frozen parts."""

from exams.verdicts.program import Program, in_paddle

BATCH, CLASSES = "normal(6, 4), normal(6, 3)", "normal(6, 4), integers(6, high=3)"
ADAM = {"adam_betas": 1e-4}
MOMENTUM = {"momentum_factor": 1e-6}
NORM = {"norm_epsilon": 1e-6, ".running_var": 0.0}
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.b = nn.Linear(8, 3)
    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))
self.net = Net()
"""


def training(name: str, torch: str, paddle: str, *mistakes: str, net: str = NET, batch: str = BATCH, **more) -> Program:
    return Program(name, batch, net + torch, in_paddle(net) + paddle, mistakes, training=True, **more)


STEP = """
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
"""
PADDLE_STEP = STEP.replace("zero_grad", "clear_grad")


def optimized(name: str, torch: str, paddle: str, *mistakes: str, **more) -> Program:
    """The plain step with another optimizer."""
    return training(name, f"self.opt = torch.optim.{torch}\n{STEP}", f"self.opt = paddle.optimizer.{paddle}\n{PADDLE_STEP}", *mistakes, **more)


PROGRAMS = [
    optimized("sgd", "SGD(self.net.parameters(), lr=0.1)", "SGD(0.1, parameters=self.net.parameters())", "SGD(0.1 => SGD(0.01", "self.opt.clear_grad() => pass", "mse_loss => l1_loss",
              "self.opt.step() => pass", "parameters=self.net.parameters() => parameters=self.net.a.parameters()"),
    optimized("sgd with decay", "SGD(self.net.parameters(), lr=0.1, weight_decay=0.01)", "SGD(0.1, parameters=self.net.parameters(), weight_decay=0.01)", "weight_decay=0.01 => weight_decay=0.001",
              known={"decay in float32": 1e-6}),
    optimized("momentum", "SGD(self.net.parameters(), lr=0.1, momentum=0.9)", "Momentum(0.1, 0.9, parameters=self.net.parameters())", "0.1, 0.9 => 0.1, 0.99", "Momentum(0.1, 0.9, => SGD(0.1,", known=MOMENTUM),
    optimized("momentum of nesterov", "SGD(self.net.parameters(), lr=0.05, momentum=0.8, nesterov=True)", "Momentum(0.05, 0.8, parameters=self.net.parameters(), use_nesterov=True)",
              "use_nesterov=True => use_nesterov=False", known=MOMENTUM),
    optimized("adam", "Adam(self.net.parameters(), lr=1e-2)", "Adam(1e-2, parameters=self.net.parameters())", "parameters=self.net => beta2=0.99, parameters=self.net", "parameters=self.net => beta1=0.5, parameters=self.net",
              "parameters=self.net => epsilon=1e-3, parameters=self.net", known=ADAM),
    optimized("adam of a gan", "Adam(self.net.parameters(), lr=2e-4, betas=(0.5, 0.999))", "Adam(2e-4, 0.5, 0.999, parameters=self.net.parameters())", "2e-4, 0.5 => 2e-4, 0.9", known=ADAM),
    optimized("adam with decay in the gradient", "Adam(self.net.parameters(), lr=1e-2, weight_decay=0.1)", "Adam(1e-2, parameters=self.net.parameters(), weight_decay=0.1)", "Adam( => AdamW(", known=ADAM),
    optimized("adamw", "AdamW(self.net.parameters(), lr=1e-2, weight_decay=0.1)", "AdamW(1e-2, parameters=self.net.parameters(), weight_decay=0.1)", "AdamW( => Adam(", "weight_decay=0.1 => weight_decay=0.01", known=ADAM),
    optimized("adamw spares biases", "AdamW([{'params': [p for p in self.net.parameters() if p.ndim > 1], 'weight_decay': 0.1}, {'params': [p for p in self.net.parameters() if p.ndim == 1], 'weight_decay': 0.0}], lr=1e-2)",
              "AdamW(1e-2, parameters=self.net.parameters(), weight_decay=0.1, apply_decay_param_fun=lambda name: '.w_' in name)", "'.w_' in name => '.b_' in name", "lambda name: '.w_' in name => None", known=ADAM),
    optimized("two rates", "SGD([{'params': self.net.a.parameters(), 'lr': 0.01}, {'params': self.net.b.parameters()}], lr=0.1)",
              "SGD(0.1, parameters=[{'params': self.net.a.parameters(), 'learning_rate': 0.1}, {'params': self.net.b.parameters()}])", "'learning_rate': 0.1 => 'learning_rate': 0.01"),
    training("a classifier", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)
def step(self, x, t):
    logits = self.net(x)
    loss = F.cross_entropy(logits, t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return {"loss": loss, "accuracy": float((logits.argmax(1) == t).float().mean())}
""", """
self.opt = paddle.optimizer.SGD(0.5, parameters=self.net.parameters())
def step(self, x, t):
    logits = self.net(x)
    loss = F.cross_entropy(logits, t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return {"loss": loss, "accuracy": float((logits.argmax(1) == t).astype("float32").mean())}
""", "F.cross_entropy(logits, t) => F.cross_entropy(F.softmax(logits), t)", "logits.argmax(1) == t => logits.argmin(1) == t", batch=CLASSES),
    training("clipped by the norm of all", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.5, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)
    self.opt.step()
    return loss
""", "self.net.parameters(), 0.1) => self.net.parameters(), 1.0)", "nn.utils.clip_grad_norm_ => nn.utils.clip_grad_value_", "nn.utils.clip_grad_norm_(self.net.parameters(), 0.1) => pass", known={"clip epsilon": 1e-6}),
    training("clipped by the optimizer", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in self.net.parameters()))
    for p in self.net.parameters():
        p.grad *= 0.2 / torch.clamp(norm, min=0.2)
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.5, parameters=self.net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.2))
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "GlobalNorm(0.2) => GlobalNorm(2.0)", known={"clip in float32": 1e-6}),
    training("a schedule of steps", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.schedule = torch.optim.lr_scheduler.StepLR(self.opt, step_size=2, gamma=0.5)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", """
self.schedule = paddle.optimizer.lr.StepDecay(0.2, step_size=2, gamma=0.5)
self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", "step_size=2 => step_size=1", "    self.schedule.step()\n => \n", "gamma=0.5 => gamma=0.1"),
    training("a cosine", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, T_max=10)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", """
self.schedule = paddle.optimizer.lr.CosineAnnealingDecay(0.2, T_max=10)
self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", "T_max=10 => T_max=20"),
    training("a warm-up", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.schedule = torch.optim.lr_scheduler.LambdaLR(self.opt, lambda n: min(1.0, (n + 1) / 3))
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", """
self.schedule = paddle.optimizer.lr.LambdaDecay(0.2, lambda n: min(1.0, (n + 1) / 3))
self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", "(n + 1) / 3 => n / 3"),
    training("a rate set by hand", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.count = 0
def step(self, x, t):
    self.count += 1
    for group in self.opt.param_groups:
        group["lr"] = 0.2 / self.count
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
self.count = 0
def step(self, x, t):
    self.count += 1
    self.opt.set_lr(0.2 / self.count)
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "0.2 / self.count => 0.2 / (self.count + 1)", "self.count += 1 => self.count += 2"),
    training("gradients of two halves", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
def step(self, x, t):
    self.opt.zero_grad()
    total = 0.0
    for part in (slice(0, 3), slice(3, 6)):
        loss = F.mse_loss(self.net(x[part]), t[part]) / 2
        loss.backward()
        total += float(loss)
    self.opt.step()
    return total
""", """
self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
def step(self, x, t):
    self.opt.clear_grad()
    total = 0.0
    for part in (slice(0, 3), slice(3, 6)):
        loss = F.mse_loss(self.net(x[part]), t[part]) / 2
        loss.backward()
        total += float(loss)
    self.opt.step()
    return total
""", "t[part]) / 2 => t[part])", "slice(3, 6) => slice(2, 6)"),
    training("a step at every other batch", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.count = 0
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t) / 2
    loss.backward()
    self.count += 1
    if self.count % 2 == 0:
        self.opt.step()
        self.opt.zero_grad()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
self.count = 0
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t) / 2
    loss.backward()
    self.count += 1
    if self.count % 2 == 0:
        self.opt.step()
        self.opt.clear_grad()
    return loss
""", "self.count % 2 == 0 => self.count % 2 == 1"),
    training("an average of the weights", """
import copy
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
self.average = copy.deepcopy(self.net)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    with torch.no_grad():
        for a, p in zip(self.average.parameters(), self.net.parameters()):
            a.mul_(0.9).add_(0.1 * p)
    return loss
""", """
import copy
self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
self.average = copy.deepcopy(self.net)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    with paddle.no_grad():
        for a, p in zip(self.average.parameters(), self.net.parameters()):
            a.set_value(0.9 * a + 0.1 * p)
    return loss
""", "0.9 * a + 0.1 * p => 0.99 * a + 0.01 * p", "a.set_value(0.9 * a + 0.1 * p) => pass"),
    training("a teacher of momentum", """
import copy
self.teacher = copy.deepcopy(self.net)
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
def step(self, x, t):
    with torch.no_grad():
        target = self.teacher(x)
    loss = F.mse_loss(self.net(x), t) + 0.5 * F.mse_loss(self.net(x), target)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    with torch.no_grad():
        for a, p in zip(self.teacher.parameters(), self.net.parameters()):
            a.copy_(0.5 * a + 0.5 * p)
    return loss
""", """
import copy
self.teacher = copy.deepcopy(self.net)
self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
def step(self, x, t):
    with paddle.no_grad():
        target = self.teacher(x)
    loss = F.mse_loss(self.net(x), t) + 0.5 * F.mse_loss(self.net(x), target)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    with paddle.no_grad():
        for a, p in zip(self.teacher.parameters(), self.net.parameters()):
            a.set_value(0.5 * a + 0.5 * p)
    return loss
""", "target = self.teacher(x) => target = self.net(x)", "0.5 * a + 0.5 * p => p", "+ 0.5 * F.mse_loss => + 0.25 * F.mse_loss"),
    training("a gradient penalty", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    x = x.clone().requires_grad_(True)
    g, = torch.autograd.grad(self.net(x).sum(), x, create_graph=True)
    loss = ((g.norm(dim=1) - 1) ** 2).mean() + F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    x = x.clone()
    x.stop_gradient = False
    g, = paddle.grad(self.net(x).sum(), x, create_graph=True)
    loss = ((g.norm(axis=1) - 1) ** 2).mean() + F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "create_graph=True => create_graph=False", "g.norm(axis=1) - 1 => g.norm(axis=1)", "g.norm(axis=1) => g.norm(axis=0)"),
    training("a small gan", """
class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 1)
    def forward(self, x):
        return self.fc(x)
self.judge = Judge()
self.opt_d = torch.optim.SGD(self.judge.parameters(), lr=0.2)
self.opt_g = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    fake = self.net(x)
    loss_d = F.relu(1 - self.judge(t)).mean() + F.relu(1 + self.judge(fake.detach())).mean()
    self.opt_d.zero_grad()
    loss_d.backward()
    self.opt_d.step()
    loss_g = -self.judge(fake).mean()
    self.opt_g.zero_grad()
    loss_g.backward()
    self.opt_g.step()
    return {"D": loss_d, "G": loss_g}
""", """
class Judge(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 1)
    def forward(self, x):
        return self.fc(x)
self.judge = Judge()
self.opt_d = paddle.optimizer.SGD(0.2, parameters=self.judge.parameters())
self.opt_g = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    fake = self.net(x)
    loss_d = F.relu(1 - self.judge(t)).mean() + F.relu(1 + self.judge(fake.detach())).mean()
    self.opt_d.clear_grad()
    loss_d.backward()
    self.opt_d.step()
    loss_g = -self.judge(fake).mean()
    self.opt_g.clear_grad()
    loss_g.backward()
    self.opt_g.step()
    return {"D": loss_d, "G": loss_g}
""", "self.judge(fake.detach()) => self.judge(self.net(x).detach() * 0.9)", "loss_g = -self.judge(fake) => loss_g = -self.judge(fake.detach() + self.net(x) * 0)", "self.opt_d.clear_grad() => pass",
             "SGD(0.2, parameters=self.judge => SGD(0.1, parameters=self.judge"),
    training("a frozen layer", """
self.net.a.requires_grad_(False)
self.opt = torch.optim.SGD([p for p in self.net.parameters() if p.requires_grad], lr=0.2)
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
for p in self.net.a.parameters():
    p.stop_gradient = True
self.opt = paddle.optimizer.SGD(0.2, parameters=[p for p in self.net.parameters() if not p.stop_gradient])
def step(self, x, t):
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "p.stop_gradient = True => p.stop_gradient = False", "self.net.a.parameters(): => self.net.b.parameters():"),
    training("running statistics", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    self.net.train()
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    self.net.train()
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "self.net.train() => self.net.eval()", "nn.BatchNorm1D(8) => nn.BatchNorm1D(8, momentum=0.1)", known=NORM, net="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.b = nn.Linear(8, 3)
    def forward(self, x):
        return self.b(torch.tanh(self.norm(self.a(x))))
self.net = Net()
"""),
    training("statistics that stay", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    self.net.norm.eval()
    loss = F.mse_loss(self.net(x), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    self.net.norm.eval()
    loss = F.mse_loss(self.net(x), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "self.net.norm.eval() => pass", known=NORM, net="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.b = nn.Linear(8, 3)
    def forward(self, x):
        return self.b(torch.tanh(self.norm(self.a(x))))
self.net = Net()
"""),
    training("dropout in the step", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    loss = F.mse_loss(F.dropout(self.net(x), 0.3), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(F.dropout(self.net(x), 0.3), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "0.3), t) => 0.5), t)", "F.dropout(self.net(x), 0.3) => self.net(x)"),
    training("noise in the step", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    loss = F.mse_loss(self.net(x + 0.1 * torch.randn_like(x)), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    loss = F.mse_loss(self.net(x + 0.1 * paddle.randn(x.shape, dtype=x.dtype)), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "0.1 * paddle.randn => 0.5 * paddle.randn", "paddle.randn(x.shape => paddle.rand(x.shape"),
    training("a replay pool", """
import random
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
self.pool = []
def step(self, x, t):
    self.pool.append(x)
    old = random.choice(self.pool)
    loss = F.mse_loss(self.net(old), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
import random
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
self.pool = []
def step(self, x, t):
    self.pool.append(x)
    old = random.choice(self.pool)
    loss = F.mse_loss(self.net(old), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "random.choice(self.pool) => self.pool[0]"),
    training("two losses, two backwards", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    y = self.net(x)
    one, two = F.mse_loss(y, t), 0.1 * y.abs().mean()
    self.opt.zero_grad()
    one.backward(retain_graph=True)
    two.backward()
    self.opt.step()
    return one, two
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    y = self.net(x)
    one, two = F.mse_loss(y, t), 0.1 * y.abs().mean()
    self.opt.clear_grad()
    one.backward(retain_graph=True)
    two.backward()
    self.opt.step()
    return one, two
""", "    two.backward()\n => \n", "0.1 * y.abs() => 0.2 * y.abs()"),
    training("an adversarial step first", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    x = x.clone().requires_grad_(True)
    g, = torch.autograd.grad(F.mse_loss(self.net(x), t), x)
    worse = (x + 0.05 * g.sign()).detach()
    loss = F.mse_loss(self.net(worse), t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    x = x.clone()
    x.stop_gradient = False
    g, = paddle.grad(F.mse_loss(self.net(x), t), x)
    worse = (x + 0.05 * g.sign()).detach()
    loss = F.mse_loss(self.net(worse), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "x + 0.05 * g => x - 0.05 * g"),
    training("weights clipped after the step", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.3)
def step(self, x, t):
    loss = -(self.net(x) * t).mean()
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    with torch.no_grad():
        for p in self.net.parameters():
            p.clamp_(-0.25, 0.25)
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.3, parameters=self.net.parameters())
def step(self, x, t):
    loss = -(self.net(x) * t).mean()
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    with paddle.no_grad():
        for p in self.net.parameters():
            p.set_value(p.clip(-0.25, 0.25))
    return loss
""", "-0.25, 0.25 => -0.5, 0.5"),
]
