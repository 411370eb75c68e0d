"""Layers and ways to write that few programs have: bags, cells, sampling grids, weights made of others, what hooks and state change."""

from exams.verdicts.program import Program

ROWS, PICTURE = "normal(4, 6)", "normal(2, 3, 6, 6)"


def layer(name: str, torch: str, paddle: str, *mistakes: str, inputs: str = PICTURE, call: str = "self.layer(x)", names: str = "x",
          there: str = "", **more) -> Program:
    """One layer, called."""
    def text(layer: str, call: str) -> str:
        return f"self.layer = {layer}\ndef forward(self, {names}):\n    return {call}\n"
    return Program(name, inputs, text(torch, call), text(paddle, there or call), mistakes, **more)


PROGRAMS = [
    layer("transposed convolution with a rest", "nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)",
          "nn.Conv2DTranspose(3, 4, 3, stride=2, padding=1, output_padding=1)", "padding=1, output_padding=1 => padding=1, output_padding=0",
          "stride=2, padding=1 => stride=2, padding=0"),
    layer("transposed convolution in groups, dilated", "nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, dilation=2)",
          "nn.Conv2DTranspose(4, 6, 3, stride=2, groups=2, dilation=2)", "groups=2, dilation=2 => groups=2, dilation=1", inputs="normal(2, 4, 5, 5)"),
    layer("transposed convolution along one axis", "nn.ConvTranspose1d(3, 4, 4, stride=3, output_padding=2, bias=False)",
          "nn.Conv1DTranspose(3, 4, 4, stride=3, output_padding=2, bias_attr=False)", "stride=3 => stride=3, padding=1", inputs="normal(2, 3, 5)"),
    layer("circular padding", "nn.Conv2d(3, 4, 3, padding=1, padding_mode='circular')", "nn.Conv2D(3, 4, 3, padding=1, padding_mode='circular')",
          "padding_mode='circular' => padding_mode='reflect'"),
    layer("a bilinear layer", "nn.Bilinear(3, 4, 5)", "nn.Bilinear(3, 4, 5)", "x[:, :3], x[:, 2:] => x[:, 3:], x[:, :4]", inputs=ROWS,
          call="self.layer(x[:, :3], x[:, 2:])"),
    layer("a gated cell", "nn.GRUCell(6, 5)", "nn.GRUCell(6, 5)", "0.5 * x[:, :5] => x[:, :5]", inputs=ROWS, call="self.layer(x, 0.5 * x[:, :5])",
          there="self.layer(x, 0.5 * x[:, :5])[0]"),
    layer("a long memory's cell", "nn.LSTMCell(6, 5)", "nn.LSTMCell(6, 5)", "[1][1] => [1][0]", inputs=ROWS, call="self.layer(x)[1]",
          there="self.layer(x)[1][1]"),
    layer("a recurrent net both ways", "nn.RNN(6, 5, 2, bidirectional=True, nonlinearity='relu', batch_first=True)",
          "nn.SimpleRNN(6, 5, 2, direction='bidirect', activation='relu')", "activation='relu' => activation='tanh'", inputs="normal(2, 4, 6)"),
    layer("a memory that is given", "nn.LSTM(6, 5, batch_first=True)", "nn.LSTM(6, 5)", "(h, 2 * h) => (2 * h, h)", inputs="normal(2, 4, 6), normal(1, 2, 5)",
          names="x, h", call="self.layer(x, (h, 2 * h))"),
    layer("time first", "nn.GRU(6, 5)", "nn.GRU(6, 5, time_major=True)", ", time_major=True => ", inputs="normal(4, 4, 6)"),
    layer("pixels to channels", "nn.PixelUnshuffle(2)", "nn.PixelUnshuffle(2)", "nn.PixelUnshuffle(2) => nn.MaxPool2D(2)"),
    layer("channels shuffled", "nn.ChannelShuffle(3)", "nn.ChannelShuffle(3)", "ChannelShuffle(3) => ChannelShuffle(2)", inputs="normal(2, 6, 4, 4)"),
    layer("unpooled", "nn.MaxPool2d(2, return_indices=True)", "nn.MaxPool2D(2, return_mask=True)", "F.max_unpool2d(a * 2 => F.max_unpool2d(a * 3",
          call="(lambda a, i: F.max_unpool2d(a * 2, i, 2))(*self.layer(x))"),
    layer("folded again", "nn.Fold((4, 4), 2, stride=2)", "nn.Fold([4, 4], 2, strides=2)", "self.layer(x) => self.layer(x * 1.5)", inputs="normal(2, 12, 4)"),
    Program("a bag of words", "integers(3, 5, high=9)", """
self.words = nn.EmbeddingBag(9, 4, mode="mean")
def forward(self, t):
    return self.words(t)
""", """
self.words = nn.Embedding(9, 4)
def forward(self, t):
    return self.words(t).mean(1)
""", [".mean(1) => .sum(1)", ".mean(1) => .max(1)"]),
    Program("a bag of weighed words", "integers(3, 5, high=9), uniform(3, 5)", """
self.words = nn.EmbeddingBag(9, 4, mode="sum")
def forward(self, t, w):
    return self.words(t, per_sample_weights=w)
""", """
self.words = nn.Embedding(9, 4)
def forward(self, t, w):
    return (self.words(t) * w.unsqueeze(-1)).sum(1)
""", [").sum(1) => ).mean(1)"]),
    Program("sampled over the border", "normal(2, 3, 6, 6), normal(2, 4, 4, 2)", """
self.fc = nn.Conv2d(3, 3, 1)
def forward(self, x, g):
    return F.grid_sample(self.fc(x), g * 2, mode="bilinear", padding_mode="reflection", align_corners=False)
""", """
self.fc = nn.Conv2D(3, 3, 1)
def forward(self, x, g):
    return F.grid_sample(self.fc(x), g * 2, mode="bilinear", padding_mode="reflection", align_corners=False)
""", ["padding_mode=\"reflection\" => padding_mode=\"border\"", "align_corners=False => align_corners=True"]),
    Program("sampled at the nearest", "normal(2, 3, 6, 6), normal(2, 4, 4, 2)", """
self.fc = nn.Conv2d(3, 3, 1)
def forward(self, x, g):
    return F.grid_sample(self.fc(x), g, mode="nearest", align_corners=True)
""", """
self.fc = nn.Conv2D(3, 3, 1)
def forward(self, x, g):
    return F.grid_sample(self.fc(x), g, mode="nearest", align_corners=True)
""", ["align_corners=True => align_corners=False"]),
    Program("a symmetric weight", ROWS, """
self.raw = nn.Parameter(torch.randn(6, 6))
def forward(self, x):
    w = self.raw.triu() + self.raw.triu(1).t()
    return x @ w
""", """
self.raw = self.create_parameter([6, 6])
def forward(self, x):
    w = self.raw.triu() + self.raw.triu(1).t()
    return x @ w
""", ["self.raw.triu(1) => self.raw.triu(0)"]),
    Program("a binarised weight, straight through", ROWS, """
self.w = nn.Parameter(torch.randn(6, 5))
def forward(self, x):
    b = self.w.sign()
    return x @ (self.w + (b - self.w).detach())
""", """
self.w = self.create_parameter([6, 5])
def forward(self, x):
    b = self.w.sign()
    return x @ (self.w + (b - self.w).detach())
""", ["self.w + (b - self.w).detach() => b"]),
    Program("clamped with a gradient of one's own", ROWS, """
class Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, low):
        ctx.save_for_backward(x)
        ctx.low = low
        return x.clamp(min=low)
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return torch.where((x < ctx.low) & (g < 0), torch.zeros_like(g), g), None
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Clamp.apply(self.fc(x), 0.1)
""", """
class Clamp(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x, low):
        ctx.save_for_backward(x)
        ctx.low = low
        return x.clip(min=low)
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensor()
        return paddle.where((x < ctx.low) & (g < 0), paddle.zeros_like(g), g)
self.fc = nn.Linear(6, 5)
def forward(self, x):
    return Clamp.apply(self.fc(x), 0.1)
""", ["(g < 0) => (g > 0)"]),
    Program("a hook on a gradient", ROWS, """
self.fc = nn.Linear(6, 5)
def forward(self, x):
    y = self.fc(x)
    if y.requires_grad:
        y.register_hook(lambda g: g * 0.5)
    return y.tanh()
""", mistakes=["g * 0.5 => g * 0.25"]),
    Program("a gate that remembers", ROWS, """
self.fc = nn.Linear(6, 5)
self.calls = 0
self.last = None
def forward(self, x):
    y = self.fc(x)
    if self.last is not None:
        y = y + 0.1 * self.last
    self.calls += 1
    self.last = y.detach()
    return y * self.calls
""", mistakes=["0.1 * self.last => 0.2 * self.last", "self.calls += 1 => self.calls += 2"], options="calls=2"),
    Program("spectra turned", ROWS, """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = torch.fft.fft(self.fc(x), norm="ortho")
    y = torch.fft.fftshift(y, dim=-1) * torch.exp(1j * torch.arange(6) * 0.1).to(y.dtype)
    return torch.angle(y), y.abs(), torch.fft.ifft(y).real
""", """
self.fc = nn.Linear(6, 6)
def forward(self, x):
    y = paddle.fft.fft(self.fc(x), norm="ortho")
    y = paddle.roll(y, 3, -1) * paddle.exp(1j * paddle.arange(6).astype(x.dtype) * 0.1).astype(y.dtype)
    return paddle.angle(y), y.abs(), paddle.fft.ifft(y).real()
""", ["norm=\"ortho\" => norm=\"backward\"", "y, 3, -1 => y, 2, -1", "* 0.1) => * 0.2)"], known={"complex_exponential": 1e-6}),
    Program("a complex weight", ROWS, """
self.re = nn.Parameter(torch.randn(6, 5))
self.im = nn.Parameter(torch.randn(6, 5))
def forward(self, x):
    z = torch.complex(x, 0.5 * x) @ torch.complex(self.re, self.im)
    return z.conj() * 2, z.real
""", """
self.re = self.create_parameter([6, 5])
self.im = self.create_parameter([6, 5])
def forward(self, x):
    z = paddle.complex(x, 0.5 * x) @ paddle.complex(self.re, self.im)
    return z.conj() * 2, z.real()
""", ["z.conj() * 2 => z * 2", "self.re, self.im => self.im, self.re"]),
    Program("pieces that are yielded", ROWS, """
self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(3)])
def pieces(self, x):
    for layer in self.layers:
        x = torch.relu(layer(x))
        yield x
def forward(self, x):
    return dict(enumerate(self.pieces(x)))
""", """
self.layers = nn.LayerList([nn.Linear(6, 6) for _ in range(3)])
def pieces(self, x):
    for layer in self.layers:
        x = F.relu(layer(x))
        yield x
def forward(self, x):
    return dict(enumerate(self.pieces(x)))
""", ["F.relu(layer(x)) => F.relu(layer(x) * 1.01)"]),
    Program("fields of a frozen dataclass", ROWS, """
from dataclasses import dataclass, replace
@dataclass(frozen=True)
class State:
    h: object
    step: int = 0
self.fc = nn.Linear(6, 6)
def forward(self, x):
    state = State(x)
    for _ in range(2):
        state = replace(state, h=torch.tanh(self.fc(state.h)), step=state.step + 1)
    return state
""", """
from dataclasses import dataclass, replace
@dataclass(frozen=True)
class State:
    h: object
    step: int = 0
self.fc = nn.Linear(6, 6)
def forward(self, x):
    state = State(x)
    for _ in range(2):
        state = replace(state, h=F.tanh(self.fc(state.h)), step=state.step + 1)
    return state
""", ["state.step + 1 => state.step + 2", "range(2) => range(3)"]),
    Program("experts chosen by the first", "normal(6, 6)", """
self.gate = nn.Linear(6, 3)
self.experts = nn.ModuleList([nn.Linear(6, 4) for _ in range(3)])
def forward(self, x):
    w, chosen = self.gate(x).softmax(-1).max(-1)
    out = torch.zeros(6, 4, dtype=x.dtype)
    for n, expert in enumerate(self.experts):
        at = (chosen == n).nonzero().squeeze(1)
        if len(at):
            out = out.index_add(0, at, expert(x[at]) * w[at].unsqueeze(1))
    return out
""", """
self.gate = nn.Linear(6, 3)
self.experts = nn.LayerList([nn.Linear(6, 4) for _ in range(3)])
def forward(self, x):
    p = F.softmax(self.gate(x), -1)
    w, chosen = p.max(-1), p.argmax(-1)
    out = paddle.zeros([6, 4], dtype=x.dtype)
    for n, expert in enumerate(self.experts):
        at = (chosen == n).nonzero().squeeze(1)
        if len(at):
            out = paddle.index_add(out, at, 0, expert(x[at]) * w[at].unsqueeze(1))
    return out
""", ["* w[at].unsqueeze(1) => ", "p.argmax(-1) => p.argmin(-1)"]),
]
