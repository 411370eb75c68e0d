"""Memory that is shared and written into; what a backward computes once more."""

from dataclasses import replace

from exams.verdicts.program import Program

PARTS = """class Part(nn.Module):
    def forward(self, x):
        return x[:, :2]
self.a = nn.Linear(4, 4)
self.part = Part()
self.b = nn.Linear(4, 2)
"""
CHECKPOINTED = """self.a = nn.Linear(6, 8)
self.drop = nn.Dropout(0.3)
self.b = nn.Linear(8, 2)
def inner(self, x):
    return self.drop(torch.tanh(self.a(x)))
def forward(self, x):
    return self.b({})
"""


def checkpointed(name: str, torch: str, paddle: str = "self.inner(x)", imported: str = "", *mistakes: str) -> Program:
    port = CHECKPOINTED.format(paddle).replace("torch.", "paddle.")
    return Program(name, "normal(4, 6)", "import torch.utils.checkpoint as ck\n" + CHECKPOINTED.format(torch), imported + port,
                   ["paddle.tanh(self.a(x)) => paddle.tanh(self.a(x)) * 1.01", *mistakes])


def without_dropout(program: Program) -> Program:
    """Checked by hand, a checkpoint draws once more."""
    text = {side: getattr(program, side).replace("nn.Dropout(0.3)", "nn.Softplus()") for side in ("torch", "paddle")}
    return replace(program, **text)


PROGRAMS = [
    Program("a write into a part", "normal(3, 4)", PARTS + """
def forward(self, x):
    whole = self.a(x)
    self.part(whole).mul_(5)
    return self.b(whole)
""", PARTS.replace("nn.Module", "nn.Layer") + """
def forward(self, x):
    whole = self.a(x)
    whole = paddle.concat([self.part(whole) * 5, whole[:, 2:]], axis=1)
    return self.b(whole)
""", ["self.part(whole) * 5 => self.part(whole) * 5.01"]),
    Program("flatten, then relu in place", "normal(3, 4, 2)", """
self.flat = nn.Flatten()
self.act = nn.ReLU(inplace=True)
self.b = nn.Linear(8, 2)
def forward(self, x):
    return self.b(self.act(self.flat(x * 2)))
""", """
self.flat = nn.Flatten()
self.act = nn.ReLU()
self.b = nn.Linear(8, 2)
def forward(self, x):
    return self.b(self.act(self.flat(x * 2)))
""", ["nn.ReLU() => nn.LeakyReLU()"]),
    Program("identity, then a sum in place", "normal(3, 4)", """
self.i = nn.Identity()
self.b = nn.Linear(4, 2)
def forward(self, x):
    z = torch.tanh(x) * 3
    self.i(z).add_(1)
    return self.b(z)
""", """
self.i = nn.Identity()
self.b = nn.Linear(4, 2)
def forward(self, x):
    z = paddle.tanh(x) * 3
    z = self.i(z) + 1
    return self.b(z)
""", ["self.i(z) + 1 => self.i(z) + 1.001"]),
    without_dropout(checkpointed("a checkpoint", "ck.checkpoint(self.inner, x, use_reentrant=False)")),
    without_dropout(checkpointed("a reentrant checkpoint", "ck.checkpoint(self.inner, x, use_reentrant=True)")),
    checkpointed("checkpoints on both sides", "ck.checkpoint(self.inner, x, use_reentrant=False)", "recompute(self.inner, x)",
                 "from paddle.distributed.fleet.utils import recompute\n", "nn.Dropout(0.3) => nn.Dropout(0.4)"),
]
