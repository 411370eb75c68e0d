"""Mixed precision: autocast, gradient scalers, what stands between backward and the update."""

from exams.verdicts.programs.training import training

BERT = """
class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(20, 8), nn.Embedding(4, 8)
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm, self.drop = nn.LayerNorm(8), nn.Dropout(0.1)
        self.up, self.down, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)
    def forward(self, ids):
        x = self.words(ids) + self.places(torch.arange(4))
        scores = torch.matmul(self.q(x), torch.swapaxes(self.k(x), 1, 2))
        x = self.norm(x + self.drop(torch.matmul(F.softmax(scores / 8 ** 0.5, -1), self.v(x))))
        x = self.norm(x + self.drop(self.down(F.gelu(self.up(x)))))
        return self.head(torch.tanh(x[:, 0]))
self.net = Bert()
"""
TOKENS = "integers(3, 4, high=20), integers(3, high=3)"
CLASSES = "normal(6, 4), integers(6, high=3)"

PROGRAMS = [
    training("a bert in bfloat16", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
self.schedule = torch.optim.lr_scheduler.LambdaLR(self.opt, lambda n: min(1.0, (n + 1) / 4))
def step(self, ids, labels):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(self.net(ids), labels)
    self.opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(self.net.parameters(), 0.5)
    self.opt.step()
    self.schedule.step()
    return loss
""", """
self.schedule = paddle.optimizer.lr.LambdaDecay(0.1, lambda n: min(1.0, (n + 1) / 4))
self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.5))
def step(self, ids, labels):
    with paddle.amp.auto_cast(dtype="bfloat16"):
        loss = F.cross_entropy(self.net(ids), labels)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    self.schedule.step()
    return loss
""", 'dtype="bfloat16" => dtype="float16"', 'dtype="bfloat16" => dtype="bfloat16", level="O2"', 'dtype="bfloat16" => enable=False',
             "(n + 1) / 4 => n / 4", "GlobalNorm(0.5) => GlobalNorm(5.0)", net=BERT, batch=TOKENS,
             known={"clip epsilon": 1e-5, "norm_epsilon": 1e-6}),
    training("a loss in full behind autocast", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
def step(self, x, t):
    with torch.autocast("cuda", dtype=torch.bfloat16):
        logits = self.net(x)
        loss = F.cross_entropy(logits, t)
    self.opt.zero_grad()
    loss.backward()
    self.opt.step()
    return loss
""", """
self.opt = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())
def step(self, x, t):
    with paddle.amp.auto_cast(dtype="bfloat16"):
        logits = self.net(x)
    loss = F.cross_entropy(logits.astype(x.dtype), t)
    self.opt.clear_grad()
    loss.backward()
    self.opt.step()
    return loss
""", "logits.astype(x.dtype) => logits", batch=CLASSES),
    training("a scaler and a clip", """
self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)
self.scaler = torch.amp.GradScaler("cuda", init_scale=1024.0, growth_interval=2)
def step(self, x, t):
    self.opt.zero_grad()
    with torch.autocast("cuda", dtype=torch.float16):
        loss = F.cross_entropy(self.net(x), t) / 2
    scaled = self.scaler.scale(loss)
    scaled.backward()
    self.scaler.unscale_(self.opt)
    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)
    self.scaler.step(self.opt)
    self.scaler.update()
    return loss, scaled
""", """
self.opt = paddle.optimizer.SGD(0.5, parameters=self.net.parameters())
self.scaler = paddle.amp.GradScaler(init_loss_scaling=1024.0, incr_every_n_steps=2)
def step(self, x, t):
    self.opt.clear_grad()
    with paddle.amp.auto_cast(dtype="float16"):
        loss = F.cross_entropy(self.net(x), t) / 2
    scaled = self.scaler.scale(loss)
    scaled.backward()
    self.scaler.unscale_(self.opt)
    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)
    self.scaler.step(self.opt)
    self.scaler.update()
    return loss, scaled
""", "    self.scaler.unscale_(self.opt)\n    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)\n => "
     "    nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)\n    self.scaler.unscale_(self.opt)\n",
             "    self.scaler.unscale_(self.opt)\n => ", "    self.scaler.update()\n => ", "self.scaler.scale(loss) => loss",
             "incr_every_n_steps=2 => incr_every_n_steps=1000", "self.net(x), t) / 2 => self.net(x), t)",
             batch=CLASSES, known={"clip epsilon": 1e-5}),
]
