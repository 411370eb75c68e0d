"""Arithmetic and activations, an operation at a time."""

from exams.verdicts.program import Program

ROWS = "normal(4, 6)"
BOUNDS = 1e-6  # Paddle keeps float parameters of some operations in float32


def unary(name: str, body: str, *mistakes: str, paddle: str = "", inputs: str = ROWS, **more) -> Program:
    """A line behind a linear layer: `y` is what it gave."""
    def text(line: str) -> str:
        return f"self.fc = nn.Linear(6, 5)\ndef forward(self, x):\n    y = self.fc(x)\n    return {line}\n"
    return Program(name, inputs, text(body), text(paddle) if paddle else "", mistakes, **more)


PROGRAMS = [
    unary("square root of a square", "torch.sqrt(y ** 2 + 1e-3)", "1e-3 => 1e-2"),
    unary("logarithm", "torch.log(y.abs() + 1)", "paddle.log => paddle.log2"),
    unary("log1p", "torch.log1p(y * y)", "log1p => log"),
    unary("expm1", "torch.expm1(0.3 * y)", "expm1 => exp"),
    unary("exponential", "torch.exp(-y * y / 2)", "-y * y / 2 => -y * y"),
    unary("reciprocal square root", "torch.rsqrt(y * y + 0.5)", "paddle.rsqrt => paddle.sqrt"),
    unary("sine and cosine", "torch.cat([torch.sin(y), torch.cos(y)], dim=1)", "[paddle.sin(y), paddle.cos(y)] => [paddle.cos(y), paddle.sin(y)]"),
    unary("arc tangent", "torch.atan(y)", "atan => tanh"),
    unary("hyperbolic", "torch.cosh(y) - torch.sinh(y / 2)", "y / 2 => y"),
    unary("error function", "torch.erf(y / 2 ** 0.5)", "2 ** 0.5 => 2"),
    unary("power of a magnitude", "y.abs() ** 3", "** 3 => ** 2"),
    unary("clamp", "torch.clamp(y, -0.3, 0.4)", "-0.3 => -0.4", paddle="paddle.clip(y, -0.3, 0.4)", known={"float32 bounds": BOUNDS}),
    unary("clamp from below", "y.clamp(min=0.1)", "min=0.1 => max=0.1", paddle="y.clip(min=0.1)", known={"float32 bounds": BOUNDS}),
    unary("maximum of two", "torch.maximum(y, 0.5 * y.flip(1))", "maximum => minimum", paddle="paddle.maximum(y, 0.5 * y.flip([1]))"),
    unary("floor and its rest", "y - torch.floor(y)", "y - paddle.floor(y) => y - paddle.round(y)"),
    unary("truncation", "torch.trunc(3 * y) + y", "trunc => floor"),
    unary("sign times square", "torch.sign(y) * y * y", "sign(y) => sign(-y)"),
    unary("remainder keeps the divisor's sign", "torch.remainder(y, 0.7)", "0.7 => 0.07", known={"float32": 1e-5}),
    unary("sigmoid", "torch.sigmoid(1.702 * y) * y", "1.702 => 1.7"),
    unary("relu6", "F.relu6(y * 8)", "relu6 => relu"),
    unary("elu", "F.elu(y, alpha=0.5)", "alpha=0.5 => alpha=1.0"),
    unary("selu", "F.selu(y)", "selu => elu", known={"float32 constants": BOUNDS}),
    unary("celu", "F.celu(y, alpha=2.0)", "celu => elu"),
    unary("leaky relu", "F.leaky_relu(y, 0.2)", "0.2 => 0.01"),
    unary("gelu", "F.gelu(y)", "F.gelu(y) => F.gelu(y, approximate=True)"),
    unary("gelu by tanh", "F.gelu(y, approximate='tanh')", "approximate=True => approximate=False", paddle="F.gelu(y, approximate=True)"),
    unary("silu", "F.silu(y)", "silu => mish"),
    unary("mish", "F.mish(y)", "mish => silu"),
    unary("softplus", "F.softplus(y, beta=2)", "beta=2 => beta=1"),
    unary("softsign", "F.softsign(y)", "softsign => tanh"),
    unary("hardtanh", "F.hardtanh(y, -0.5, 0.5)", "-0.5 => -1.0"),
    unary("hardswish", "F.hardswish(y * 3)", "hardswish => swish", known={"hardsigmoid_slope": 1e-6}),
    unary("hardshrink", "F.hardshrink(y, 0.4)", "hardshrink => softshrink", paddle="F.hardshrink(y, 0.4)", known={"float32 bounds": BOUNDS}),
    unary("softshrink", "F.softshrink(y, 0.25)", "0.25 => 0.125"),
    unary("tanhshrink", "F.tanhshrink(y)", "F.tanhshrink(y) => -F.tanhshrink(y)"),
    unary("log sigmoid", "F.logsigmoid(y)", "log_sigmoid(y) => log_sigmoid(-y)", paddle="F.log_sigmoid(y)"),
    unary("gated linear unit", "F.glu(torch.cat([y, y * y], dim=1))", "[y, y * y] => [y * y, y]"),
    unary("softmax over a row", "F.softmax(y, dim=1)", "axis=1 => axis=0"),
    unary("log softmax with a temperature", "F.log_softmax(y / 0.5, dim=-1)", "y / 0.5 => y * 0.5"),
    unary("softmin", "F.softmax(-y, dim=1)", "F.softmax(-y => F.softmax(y"),
    unary("logsumexp", "torch.logsumexp(y, dim=1)", "axis=1) => axis=1, keepdim=True)"),
    unary("where", "torch.where(y > 0, y, 0.1 * y ** 2)", "y > 0, y, => y > 0, -y,"),
    unary("mean and deviation", "torch.stack([y.mean(dim=1), y.std(dim=1)])", "y.std(axis=1) => y.std(axis=1, unbiased=False)"),
    unary("variance of a population", "y.var(dim=0, unbiased=False)", "unbiased=False => unbiased=True"),
    unary("sum over all", "(y * y).sum() / y.shape[0]", "y.shape[0] => y.shape[1]"),
    unary("product", "y.prod(dim=1)", "axis=1 => axis=0"),
    unary("largest norm", "y.norm(p=2, dim=1)", "p=2 => p=1"),
    unary("normalised rows", "F.normalize(y, dim=1)", "axis=1 => axis=0"),
    unary("cosine similarity", "F.cosine_similarity(y, y.roll(1, 0), dim=1)", "y.roll(1, 0) => y.roll(2, 0)"),
    unary("outer difference", "y.unsqueeze(1) - y.unsqueeze(0)", "y.unsqueeze(1) - y.unsqueeze(0) => y.unsqueeze(0) - y.unsqueeze(1)"),
    unary("pairwise distance", "torch.cdist(y, y.flip(0))", "y.flip([0]) => y", paddle="paddle.cdist(y, y.flip([0]))"),
    unary("linear interpolation", "torch.lerp(y, y * y, 0.3)", "0.3 => 0.7"),
    unary("scaled addition", "torch.add(y, y.exp(), alpha=0.5)", "0.5 => 2.0", paddle="y + 0.5 * y.exp()"),
    unary("true division of integers", "y * (torch.arange(5) / 2)", "paddle.arange(5) / 2 => (paddle.arange(5) // 2).astype(y.dtype)"),
    unary("integer division of negatives", "y * torch.div(torch.arange(-2, 3), 2, rounding_mode='floor')", "// 2 => / 2",
          paddle="y * (paddle.arange(-2, 3) // 2).astype(y.dtype)"),
    unary("nan to number", "torch.nan_to_num(y / torch.zeros_like(y).masked_fill(y > 0, 1.0), posinf=3.0, neginf=-2.0)", "neginf=-2.0 => neginf=-3.0",
          paddle="paddle.nan_to_num(y / paddle.zeros_like(y).masked_fill(y > 0, 1.0), posinf=3.0, neginf=-2.0)", options='modes=["eval"]'),
]
