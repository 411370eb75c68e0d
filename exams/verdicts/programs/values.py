"""What programs take and return: dtypes, complex numbers, half precision, and outputs of every kind."""

from exams.verdicts.program import Program

ROWS = "normal(4, 6)"
HALF = {"half precision inside": 2e-2}


def returned(name: str, line: str, *mistakes: str, paddle: str = "", built: str = "", inputs: str = ROWS, **more) -> Program:
    """A line behind a linear layer; `y` is what it gave."""
    def text(line: str, built: str) -> str:
        return f"{built}\nself.fc = nn.Linear(6, 5)\ndef forward(self, x):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(line, built), text(paddle, built.replace("torch", "paddle")) if paddle else "", mistakes, **more)


DATA = "from dataclasses import dataclass\n@dataclass\nclass Output:\n    logits: object\n    hidden: object = None\n    name: str = ''"
TUPLE = "from collections import namedtuple\nclass Pair(namedtuple('Pair', ['first', 'second'])):\n    pass"
PLAIN = "class Result:\n    def __init__(self, **parts):\n        self.__dict__.update(parts)"
PROGRAMS = [
    returned("an int32", "y, (y > 0).to(torch.int32)", "'int32' => 'int64'", paddle="y, (y > 0).astype('int32')"),
    returned("an int64", "y, (y * 3).to(torch.int64)", "'int64' => 'int32'", paddle="y, (y * 3).astype('int64')"),
    returned("bytes", "(y.sigmoid() * 255).to(torch.uint8), y", "* 255 => * 250", "'uint8' => 'int64'", paddle="(F.sigmoid(y) * 255).astype('uint8'), y"),
    returned("truth values", "y > 0.2, y", "y > 0.2 => (y > 0.2).astype('int64')", "y > 0.2 => y > 0.3"),
    returned("a float32 at the end", "y.to(torch.float32) * 2", ".astype('float32') => .astype('float64')", "* 2 => * 2.01", paddle="y.astype('float32') * 2", known={"float32": 1e-5}),
    returned("a float64 at the end", "y.double().sum(1)", ".astype('float64') => .astype('float32')", paddle="y.astype('float64').sum(1)", options=""),
    returned("bfloat16 inside", "(y.to(torch.bfloat16) * 2).to(y.dtype)", "* 2 => * 2.5", "* 2 => * -2", paddle="(y.astype('bfloat16') * 2).astype(y.dtype)", known=HALF),
    returned("float16 inside", "y.half().to(y.dtype) + y", "+ y => - y", paddle="y.astype('float16').astype(y.dtype) + y", known=HALF),
    returned("bfloat16 at the end", "y.to(torch.bfloat16)", "'bfloat16' => 'float16'", "y.astype => (2 * y).astype", paddle="y.astype('bfloat16')", known=HALF),
    returned("counts as a result", "(y > 0).sum(1)", ".sum(1) => .sum(0)"),
    returned("a spectrum", "torch.fft.rfft(y, dim=1)", "paddle.fft.rfft(y, axis=1) => paddle.fft.rfft(y, axis=1).conj()"),
    returned("the size of a spectrum", "torch.fft.rfft(y, dim=1).abs()", "axis=1).abs() => axis=1, norm='ortho').abs()"),
    returned("filtered in the spectrum", "torch.fft.irfft(torch.fft.rfft(y, dim=1) * 0.5, n=5, dim=1)", "* 0.5 => * 0.6"),
    returned("a spectrum in two dimensions", "torch.fft.fft2(y.unsqueeze(0)).real", ".real() => .imag()", paddle="paddle.fft.fft2(y.unsqueeze(0)).real()"),
    returned("complex multiplication", "torch.view_as_real(torch.complex(y, y * y) * torch.complex(y.cos(), y.sin()))", "y.cos(), y.sin() => y.cos(), -y.sin()",
             paddle="paddle.as_real(paddle.complex(y, y * y) * paddle.complex(y.cos(), y.sin()))"),
    returned("a short time spectrum", "torch.stft(x, 4, 2, window=torch.hann_window(4, dtype=x.dtype), return_complex=True).abs() * 2 + y.mean()", "x, 4, 2 => x, 4, 1",
             paddle="paddle.signal.stft(x, 4, 2, window=paddle.to_tensor([0, 0.5, 1, 0.5], dtype=x.dtype)).abs() * 2 + y.mean()"),
    returned("a dict", "{'logits': y, 'scaled': y * 3}", "y * 3 => y * 4", "'scaled' => 'scale'"),
    returned("a dict in another order", "{'a': y, 'b': y * 3}", "y * 3 => y * 2", paddle="{'b': y * 3, 'a': y}"),
    returned("a tuple", "y, y * 2, y * 3", "y * 2, y * 3 => y * 3, y * 2"),
    returned("a list that grows", "[y * n for n in range(1, 4)]", "range(1, 4) => range(1, 5)", "range(1, 4) => range(0, 3)"),
    returned("nests", "{'levels': [(y, y.sum()), (y * 2, y.mean())], 'last': {'x': [x]}}", "y * 2, y.mean() => y * 2, y.sum()", "[x] => [x * 1.001]"),
    returned("a dataclass", "Output(y, y * 2, 'net')", "y * 2, 'net' => y * 3, 'net'", "'net') => 'nets')", "y * 2, => None,", built=DATA),
    returned("a named tuple", "Pair(y, y.exp())", "y.exp() => y.expm1()", "Pair(y, y.exp()) => Pair(y.exp(), y)", built=TUPLE),
    returned("a plain object", "Result(logits=y, label='cat', scores=[y * 2])", "[y * 2] => [y * 2.5]", "'cat' => 'dog'", built=PLAIN),
    returned("an object inside a dict", "{'inner': Result(state=y * 0.5)}", "y * 0.5 => y * 0.25", built=PLAIN),
    returned("a deque", "deque([y, y * 2])", "y * 2 => y * 2.1", built="from collections import deque"),
    returned("an ordered dict", "OrderedDict(first=y, second=y.tanh())", "second=y.tanh() => second=y.sin()", built="from collections import OrderedDict"),
    returned("a number beside a tensor", "y, 3, 0.5", "0.5 => 0.75", "3, => 4,"),
    returned("a number out of a tensor", "y, float(y.sum()), y.shape[0]", "float(y.sum()) => float(y.mean())"),
    returned("a complex number", "y, 1 + 2j", "1 + 2j => 1 - 2j"),
    returned("a string", "y, 'ready'", "'ready' => 'raedy'"),
    returned("nothing in places", "y, None, [None, y * 2]", "y, None => y, y", "[None, y * 2] => [y * 2, None]"),
    returned("a decimal and a large integer", "y, Decimal('0.1'), 2 ** 70", "2 ** 70 => 2 ** 70 + 1", "'0.1' => '0.10001'", built="from decimal import Decimal"),
    returned("a set of names", "y, {'a', 'b'}", "'b' => 'c'"),
    returned("a numpy array", "y, y.detach().numpy().sum(0)", ".sum(0) => .mean(0)"),
    returned("a generator of layers' outputs", "y, (y * n for n in (1, 2))", "(1, 2) => (1, 3)"),
    returned("a shape", "y, tuple(y.shape)", "tuple(y.shape) => tuple(y.T.shape)"),
    returned("a batch axis more", "y.unsqueeze(0)", "y.unsqueeze(0) => y"),
    returned("one column", "y.sum(1, keepdim=True)", ", keepdim=True => "),
    returned("a scalar", "y.mean()", "y.mean() => y.mean().reshape([1])"),
    returned("an empty tensor", "y, y[:0]", "y[:0] => y[:1]"),
    returned("infinities in place", "torch.where(y > 0, y, torch.full_like(y, float('inf')))", "float('inf') => float('-inf')", options='modes=["eval"]'),
    returned("not a number in place", "torch.where(y > 0, y, torch.full_like(y, float('nan'))).detach(), y", "y > 0 => y > 0.3", options='modes=["eval"]'),
    returned("a huge constant beside logits", "(y + 1.0).masked_fill(x[:, :5] > 1, -3.4e38)", "y + 1.0 => y"),
    returned("a large shift of some columns", "y + torch.tensor([0.0, 0.0, 1e9, 0.0, 0.0])", "0.0, 0.0, 1e9 => 0.0, 0.01, 1e9", paddle="y + paddle.to_tensor([0.0, 0.0, 1e9, 0.0, 0.0])"),
    returned("many scales in one tensor", "torch.cat([y, y * 1e6, y * 1e-6], 1)", "1e-6 => 1.5e-6"),
    returned("split by sizes", "torch.split(y, [2, 3], dim=1)", "[2, 3] => [3, 2]"),
    returned("chunks", "torch.chunk(x, 2, dim=1)[1] + y[:, 2:]", "[1] + => [0] +"),
    returned("split into equal parts", "x.split(2, dim=1)", "x.split(3, axis=1) => x.split(2, axis=1)", paddle="x.split(3, axis=1)"),
    returned("stacked and unbound", "torch.stack(torch.unbind(y, dim=1)[::-1])", "[::-1] => [::1]"),
    returned("reshaped", "y.reshape((5, 4))", "y.reshape((5, 4)) => y.T"),
    returned("repeated", "y.repeat(2, 1)", "tile([2, 1]) => tile([1, 2])", "y.tile([2, 1]) => y.repeat_interleave(2, 0)", paddle="y.tile([2, 1])"),
    returned("rolled", "torch.roll(y, 1, 1)", "y, 1, 1 => y, -1, 1"),
    returned("rotated", "torch.rot90(y.unsqueeze(0), 1, [1, 2])", "[1, 2] => [2, 1]"),
    returned("a mesh", "y.sum() * torch.stack(torch.meshgrid(torch.arange(3.0), torch.arange(2.0), indexing='ij'))", "paddle.arange(3.0), paddle.arange(2.0) => paddle.arange(3.0) + 1, paddle.arange(2.0)",
             paddle="y.sum() * paddle.stack(paddle.meshgrid(paddle.arange(3.0), paddle.arange(2.0)))"),
    Program("a keyword with another name", '{"x": normal(4, 6), "mask": truths(4, 1)}', """
self.fc = nn.Linear(6, 5)
def forward(self, x, mask):
    return self.fc(x) * mask.to(x.dtype)
""", """
self.fc = nn.Linear(6, 5)
def forward(self, x, keep):
    return self.fc(x) * keep.astype(x.dtype)
""", ["keep.astype(x.dtype) => (~keep).astype(x.dtype)"], options='twin_keywords={"mask": "keep"}'),
    Program("an optional mask that is not there", "normal(4, 6), None", """
self.fc = nn.Linear(6, 5)
def forward(self, x, mask=None):
    y = self.fc(x)
    return y if mask is None else y * mask
""", "", ["y if mask is None => -y if mask is None"]),
    Program("a flag", "normal(4, 6), True, 3", """
self.fc = nn.Linear(6, 6)
def forward(self, x, deep, times):
    for _ in range(times):
        x = self.fc(x) if deep else x
    return x
""", "", ["if deep else => if not deep else", "range(times) => range(times - 1)"]),
    Program("inputs in a dict", '{"batch": {"image": normal(2, 6), "label": integers(2, high=5)}}', """
self.fc = nn.Linear(6, 5)
def forward(self, batch):
    logits = self.fc(batch["image"])
    return {"loss": F.cross_entropy(logits, batch["label"]), "logits": logits}
""", "", ['batch["image"]) => batch["image"] * 0.5)']),
    Program("a list of pictures", "[normal(1, 3, 4, 4), normal(1, 3, 8, 8)]", """
self.conv = nn.Conv2d(3, 2, 3, padding=1)
def forward(self, levels):
    return [torch.relu(self.conv(level)).mean((2, 3)) for level in levels]
""", """
self.conv = nn.Conv2D(3, 2, 3, padding=1)
def forward(self, levels):
    return [F.relu(self.conv(level)).mean((2, 3)) for level in levels]
""", ["for level in levels] => for level in levels[::-1]]"]),
    Program("bytes as a picture", "integers(2, 3, 5, 5, high=256, dtype='uint8')", """
self.conv = nn.Conv2d(3, 4, 3)
def forward(self, image):
    x = (image.to(self.conv.weight.dtype) / 255 - 0.5) / 0.25
    return self.conv(x)
""", """
self.conv = nn.Conv2D(3, 4, 3)
def forward(self, image):
    x = (image.astype(self.conv.weight.dtype) / 255 - 0.5) / 0.25
    return self.conv(x)
""", ["/ 255 - 0.5 => / 256 - 0.5"]),
    Program("int32 words", "integers(2, 5, high=9, dtype='int32')", """
self.words = nn.Embedding(9, 4)
def forward(self, ids):
    return self.words(ids).sum(1), ids + 1
""", "", ["ids + 1 => ids.astype('int64') + 1", "ids + 1 => ids - 1"]),
    Program("pictures with channels last", "normal(2, 5, 5, 3)", """
self.conv = nn.Conv2d(3, 4, 3)
def forward(self, x):
    return self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
""", """
self.conv = nn.Conv2D(3, 4, 3, data_format="NHWC")
def forward(self, x):
    return self.conv(x)
""", ["self.conv(x) => self.conv(x.transpose([0, 2, 1, 3]))"]),
]
