"""Elements picked, written and added by position: views, masks, scatters, and sums that run along an axis."""

from exams.verdicts.program import Program
from exams.verdicts.programs.unusual import IDS, line

PROGRAMS = [
    line("rows and columns picked together", "y[torch.tensor([0, 2, 3]), torch.tensor([1, 1, 4])]", "[1, 1, 4] => [1, 4, 1]",
         paddle="y[paddle.to_tensor([0, 2, 3]), paddle.to_tensor([1, 1, 4])]"),
    line("rows picked twice", "y[t[:, 0] % 4] * 2", "t[:, 0] % 4] => t[:, 1] % 4]", inputs=IDS, names="x, t"),
    line("an axis kept and one picked", "y.reshape(2, 2, 5)[:, t[0, :2] % 2, 1:]", "1:] => :-1]", inputs=IDS, names="x, t",
         paddle="y.reshape([2, 2, 5])[:, t[0, :2] % 2, 1:]"),
    line("what a mask keeps", "y[x[:, 0] > 0].sum(0)", "x[:, 0] > 0 => x[:, 0] >= -1"),
    line("gathered along rows", "y.gather(1, t.clamp(0, 4))", "t.clip(0, 4), 1) => t.clip(0, 3), 1)", inputs=IDS, names="x, t",
         paddle="paddle.take_along_axis(y, t.clip(0, 4), 1)"),
    line("added at indices", "torch.zeros(4, 5, dtype=y.dtype).index_add(0, t[:, 0] % 3, y)", "t[:, 0] % 3, 0, y => t[:, 1] % 3, 0, y",
         inputs=IDS, names="x, t", paddle="paddle.index_add(paddle.zeros([4, 5], y.dtype), t[:, 0] % 3, 0, y)"),
    line("overwritten where a mask says", "torch.zeros_like(y).masked_scatter(y > 0, y * 2)", "y > 0, y * 2 => y > 0, y.T * 2",
         paddle="paddle.masked_scatter(paddle.zeros_like(y), y > 0, y * 2)"),
    line("put by several indices", "y.index_put((torch.tensor([0, 0, 1]), torch.tensor([1, 1, 2])), y[0, :3], accumulate=True)",
         "accumulate=True => accumulate=False",
         paddle="paddle.index_put(y, (paddle.to_tensor([0, 0, 1]), paddle.to_tensor([1, 1, 2])), y[0, :3], accumulate=True)"),
    line("the largest of each segment", "torch.zeros(3, 5, dtype=y.dtype).scatter_reduce(0, (t % 3)[:, :5], y, 'amax')",
         "reduce='amax' => reduce='add'", inputs=IDS, names="x, t",
         paddle="paddle.put_along_axis(paddle.zeros([3, 5], y.dtype), (t % 3)[:, :5], y, 0, reduce='amax')"),
    line("every second, backwards", "y[:, ::2].flip(1)", "y[:, ::2].flip => y[:, 1::2].flip"),
    line("diagonals out of a matrix and into one", "torch.diagonal(y[:, :4], offset=1), torch.diag_embed(y)", "offset=1 => offset=-1",
         "y.unsqueeze(-1) * paddle.eye(5).astype(y.dtype) => paddle.diag_embed(y)",
         paddle="paddle.diagonal(y[:, :4], offset=1), y.unsqueeze(-1) * paddle.eye(5).astype(y.dtype)"),
    line("upper triangles as rows", "y[:, :4][torch.triu(torch.ones(4, 4)) > 0]", "paddle.triu => paddle.tril",
         paddle="y[:, :4][paddle.triu(paddle.ones([4, 4])) > 0]"),
    line("windows that overlap", "y.unfold(1, 3, 1) ** 2", "[0, 1, 2], [1, 2, 3] => [0, 1, 2], [1, 2, 4]",
         "y[:, paddle.to_tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4]])] => y.unfold(1, 3, 1)",
         paddle="y[:, paddle.to_tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4]])] ** 2"),
    line("a view with strides of its own", "y.as_strided((3, 3), (5, 1)) * 2", "[5, 1] => [4, 1]",
         paddle="paddle.as_strided(y, [3, 3], [5, 1]) * 2"),
    line("sorted along rows, both results", "torch.sort(y, dim=1, descending=True)", "descending=True), paddle => descending=False), paddle",
         paddle="paddle.sort(y, axis=1, descending=True), paddle.argsort(y, axis=1, descending=True)"),
    line("running products", "torch.cumprod(y, 1) + torch.cumsum(y, 0)", "paddle.cumsum(y, 0) => paddle.cumsum(y, 1)",
         paddle="paddle.cumprod(y, 1) + paddle.cumsum(y, 0)"),
    line("running maxima with their places", "torch.cummax(y, 1)", "y, 1 => y, 0"),
    line("differences of neighbours", "torch.diff(y, n=2, dim=1)", "n=2 => n=1"),
    line("a running sum from behind", "y.flip(1).cumsum(1).flip(1)", "y.flip(1).cumsum => y.cumsum"),
    line("a histogram of choices", "torch.bincount(t.flatten(), minlength=9), y", "minlength=9 => minlength=10", inputs=IDS, names="x, t"),
    line("unique values with their counts", "(*torch.unique(t, return_counts=True), y)", "(*paddle.unique(t, return_counts=True), y) => (*paddle.unique(t % 8, return_counts=True), y)",
         inputs=IDS, names="x, t"),
    line("where three dimensions meet", "torch.einsum('bi,bj,bk->ijk', y, y, x)", "y, y, x) => y, y + 1, x)",
         paddle="paddle.einsum('bi,bj,bk->ijk', y, y, x)"),
    line("a trace by einsum", "torch.einsum('bii->bi', (y.unsqueeze(2) * y.unsqueeze(1)))", "y.unsqueeze(2) * y.unsqueeze(1) => y.unsqueeze(2) + y.unsqueeze(1)"),
    line("whole numbers divided, below zero", "((t - 4) // 3, (t - 4) % 3, torch.div(t - 4, 3, rounding_mode='trunc'), y)",
         "(t - 4) % 3 => paddle.trunc((t - 4) % -3)", "paddle.trunc((t - 4) / 3) => paddle.floor((t - 4) / 3)", inputs=IDS, names="x, t",
         paddle="((t - 4) // 3, (t - 4) % 3, paddle.trunc((t - 4) / 3).astype('int64'), y)"),
    line("remainders of fractions", "torch.remainder(y, 0.7) + torch.fmod(y, 0.9)", "paddle.trunc(y / 0.9) => paddle.floor(y / 0.9)",
         paddle="paddle.remainder(y, paddle.full_like(y, 0.7)) + y - 0.9 * paddle.trunc(y / 0.9)"),
    Program("columns written through a view of a view", "normal(4, 6)", """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = self.fc(x).clone()
    y[:, 2:4] = y[:, 2:4] * 2
    y[1] += 1
    y[:, -1] = 0
    return y
""", mistakes=["y[1] += 1 => y[:, 1] += 1", "y[:, -1] = 0 => y[:, -1] = 1e-3"]),
    Program("a mask filled in place", "normal(4, 6), truths(4, 6)", """
self.fc = nn.Linear(6, 6)
def forward(self, x, m):
    y = self.fc(x).clone()
    y[m] = -1.0
    y.clamp_(min=-0.5)
    return y.tanh()
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x, m):
    y = self.fc(x).clone()
    y[m] = -1.0
    y.clip_(min=-0.5)
    return y.tanh()
""", ["y.clip_(min=-0.5) => y.clip(min=-0.5)", "y[m] = -1.0 => y[~m] = -1.0"]),
    Program("rows of a memory replaced", "normal(4, 6), integers(3, high=5)", """
self.fc = nn.Linear(6, 5)
self.register_buffer("memory", torch.zeros(5, 5))
def forward(self, x, at):
    y = self.fc(x)
    self.memory[at] = y[:3].detach()
    return y @ self.memory.t().clone()
""", """
self.fc = nn.Linear(6, 5)
self.register_buffer("memory", paddle.zeros([5, 5]))
def forward(self, x, at):
    y = self.fc(x)
    self.memory[at] = y[:3].detach()
    return y @ self.memory.t().clone()
""", ["self.memory[at] = y[:3] => self.memory[at] = y[1:]"]),
    Program("a loss over what is not padding", "normal(3, 4, 6), integers(3, 4, high=5)", """
self.fc = nn.Linear(6, 5)
def forward(self, x, t):
    kept = (t > 1) & (torch.arange(3).unsqueeze(1) < 2)
    each = F.cross_entropy(self.fc(x).transpose(1, 2), t, reduction="none")
    return (each * kept).sum(1) / kept.sum(1).clamp(min=1)
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x, t):
    kept = ((t > 1) & (paddle.arange(3).unsqueeze(1) < 2)).astype(x.dtype)
    each = F.cross_entropy(self.fc(x), t, reduction="none")
    return (each * kept).sum(1) / kept.sum(1).clip(min=1)
""", ["clip(min=1) => clip(min=9)", "(t > 1) => (t > 0)"]),
    Program("attention with rows that see nothing", "normal(2, 3, 6), truths(2, 3, 3)", """
self.fc = nn.Linear(6, 6)
def forward(self, x, m):
    q = self.fc(x)
    m = m & (torch.arange(3).view(1, 3, 1) > 0)
    s = (q @ x.transpose(1, 2)).masked_fill(~m, float("-inf"))
    w = torch.softmax(s, -1)
    return torch.where(torch.isnan(w), torch.zeros_like(w), w).detach() @ q
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x, m):
    q = self.fc(x)
    m = m & (paddle.arange(3).reshape([1, 3, 1]) > 0)
    s = (q @ x.transpose([0, 2, 1])).masked_fill(~m, float("-inf"))
    w = F.softmax(s, -1)
    return paddle.where(paddle.isnan(w), paddle.zeros_like(w), w).detach() @ q
""", ["paddle.zeros_like(w), w => paddle.ones_like(w) / 3, w", "float(\"-inf\") => -1e9"]),
]
