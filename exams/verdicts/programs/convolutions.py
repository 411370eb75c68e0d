"""Convolutions with all of their options, pooling, interpolation and the shuffling of pixels."""

from exams.verdicts.program import Program

PICTURE = "normal(2, 4, 9, 9)"
RATIO = {"interpolation's ratio in float32": 1e-5}
POOL = {"pool_gradient": 1e-7}  # Paddle divides by a float32 count in the backward


def layer(name: str, built: str, *mistakes: str, inputs: str = PICTURE, paddle: str = "", line: str = "self.conv(x)", **more) -> Program:
    text = "{}\ndef forward(self, x):\n    return {}\n".format
    return Program(name, inputs, text(built, line), text(paddle, line) if paddle else "", mistakes, **more)


def pooled(name: str, line: str, *mistakes: str, inputs: str = PICTURE, paddle: str = "", **more) -> Program:
    text = "self.conv = nn.Conv2d(4, 4, 1)\ndef forward(self, x):\n    return {}\n".format
    return Program(name, inputs, text(line), text(paddle).replace("nn.Conv2d(", "nn.Conv2D(") if paddle else "", mistakes, **more)


PROGRAMS = [
    layer("stride", "self.conv = nn.Conv2d(4, 3, 3, stride=2)", "stride=2 => stride=2, padding=1"),
    layer("padding", "self.conv = nn.Conv2d(4, 3, 3, padding=1)", "padding=1 => padding=0"),
    layer("padding of two sizes", "self.conv = nn.Conv2d(4, 3, (3, 5), padding=(1, 2))", "(1, 2) => (2, 1)"),
    layer("dilation", "self.conv = nn.Conv2d(4, 3, 3, dilation=2, padding=2)", "dilation=2, padding=2 => dilation=1, padding=1"),
    layer("groups", "self.conv = nn.Conv2d(4, 6, 3, groups=2)", "self.conv(x) => self.conv(x[:, [2, 3, 0, 1]])"),
    layer("depthwise", "self.conv = nn.Conv2d(4, 8, 3, groups=4)", "groups=4 => groups=4, padding=1"),
    layer("without a bias", "self.conv = nn.Conv2d(4, 3, 3, bias=False)", "return self.conv(x) => return self.conv(x) + 1e-3",
          paddle="self.conv = nn.Conv2D(4, 3, 3, bias_attr=False)"),
    layer("reflected border", "self.conv = nn.Conv2d(4, 3, 3, padding=1, padding_mode='reflect')", "'reflect' => 'replicate'"),
    layer("circular border", "self.conv = nn.Conv2d(4, 3, 3, padding=1, padding_mode='circular')", "padding_mode='circular' => padding_mode='zeros'"),
    layer("in one dimension", "self.conv = nn.Conv1d(4, 3, 5, stride=2, padding=2)", "stride=2 => stride=1", inputs="normal(2, 4, 12)"),
    layer("causal in one dimension", "self.conv = nn.Conv1d(4, 3, 3, dilation=2)", "[4, 0] => [2, 2]", inputs="normal(2, 4, 12)",
          line="self.conv(F.pad(x, [4, 0]))", paddle="self.conv = nn.Conv1D(4, 3, 3, dilation=2)"),
    layer("in three dimensions", "self.conv = nn.Conv3d(2, 3, 3, padding=1)", "padding=1 => padding=(1, 1, 0)", inputs="normal(1, 2, 4, 5, 5)"),
    layer("transposed", "self.conv = nn.ConvTranspose2d(4, 3, 3, stride=2)", "stride=2 => stride=2, padding=1",
          paddle="self.conv = nn.Conv2DTranspose(4, 3, 3, stride=2)"),
    layer("transposed with output padding", "self.conv = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)",
          "output_padding=1 => output_padding=0", paddle="self.conv = nn.Conv2DTranspose(4, 3, 3, stride=2, padding=1, output_padding=1)"),
    layer("transposed in groups", "self.conv = nn.ConvTranspose2d(4, 4, 2, stride=2, groups=2)", "self.conv(x) => self.conv(x.flip([1]))",
          paddle="self.conv = nn.Conv2DTranspose(4, 4, 2, stride=2, groups=2)"),
    layer("transposed in one dimension", "self.conv = nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1)", "padding=1 => padding=2",
          inputs="normal(2, 4, 7)", paddle="self.conv = nn.Conv1DTranspose(4, 3, 4, stride=2, padding=1)"),
    Program("a kernel given as a parameter", PICTURE, """
self.weight = nn.Parameter(torch.randn(3, 4, 3, 3))
def forward(self, x):
    return F.conv2d(x, self.weight, stride=1, padding=1)
""", """
self.weight = self.create_parameter([3, 4, 3, 3])
def forward(self, x):
    return F.conv2d(x, self.weight, stride=1, padding=1)
""", ["self.weight, stride => self.weight.flip([2, 3]), stride"]),
    Program("separable", PICTURE, """
self.depth = nn.Conv2d(4, 4, 3, groups=4, padding=1)
self.point = nn.Conv2d(4, 5, 1)
def forward(self, x):
    return self.point(F.relu(self.depth(x)))
""", "", ["F.relu(self.depth(x)) => self.depth(x)", "self.point(F.relu(self.depth(x))) => F.relu(self.point(self.depth(x)))"]),
    Program("residual block", PICTURE, """
self.one = nn.Conv2d(4, 4, 3, padding=1)
self.two = nn.Conv2d(4, 4, 3, padding=1)
def forward(self, x):
    y = F.relu(self.one(x))
    y = self.two(y)
    return F.relu(y + x)
""", "", ["F.relu(y + x) => F.relu(y) + x", "self.two(y) => self.one(y)"]),
    Program("squeeze and excitation", PICTURE, """
self.down = nn.Conv2d(4, 2, 1)
self.up = nn.Conv2d(2, 4, 1)
def forward(self, x):
    s = F.adaptive_avg_pool2d(x, 1)
    s = torch.sigmoid(self.up(F.relu(self.down(s))))
    return x * s
""", "", ["return x * s => return x + s"], known=POOL),
    Program("unfolded patches", PICTURE, """
self.fc = nn.Linear(36, 5)
def forward(self, x):
    patches = F.unfold(x, 3, stride=3)
    return self.fc(patches.transpose(1, 2))
""", """
self.fc = nn.Linear(36, 5)
def forward(self, x):
    patches = F.unfold(x, 3, strides=3)
    return self.fc(patches.transpose([0, 2, 1]))
""", ["F.unfold(x, 3, => F.unfold(x.transpose([0, 1, 3, 2]), 3,"]),
    Program("patches of a vision transformer", "normal(2, 3, 8, 8)", """
self.proj = nn.Conv2d(3, 6, 4, stride=4)
def forward(self, x):
    return self.proj(x).flatten(2).transpose(1, 2)
""", """
self.proj = nn.Conv2D(3, 6, 4, stride=4)
def forward(self, x):
    return self.proj(x).flatten(2).transpose([0, 2, 1])
""", ["self.proj(x).flatten(2).transpose([0, 2, 1]) => self.proj(x).transpose([0, 3, 2, 1]).flatten(1, 2)"]),
    pooled("max pooling", "F.max_pool2d(self.conv(x), 3, stride=2)", "stride=2 => stride=2, padding=1"),
    pooled("max pooling with a ceiling", "F.max_pool2d(self.conv(x), 2, ceil_mode=True)", "ceil_mode=True => ceil_mode=False"),
    pooled("max pooling with padding", "F.max_pool2d(self.conv(x), 3, stride=2, padding=1)", "padding=1 => padding=0"),
    pooled("max pooling's indices", "F.max_pool2d(self.conv(x), 3, return_indices=True)[0] * 2", "* 2 => * 2.5",
           paddle="F.max_pool2d(self.conv(x), 3, return_mask=True)[0] * 2"),
    pooled("average pooling", "F.avg_pool2d(self.conv(x), 3)", "avg_pool => max_pool", known=POOL),
    pooled("average pooling counts its border", "F.avg_pool2d(self.conv(x), 3, stride=2, padding=1)", "exclusive=False => exclusive=True",
           paddle="F.avg_pool2d(self.conv(x), 3, stride=2, padding=1, exclusive=False)", known=POOL),
    pooled("average pooling without its border", "F.avg_pool2d(self.conv(x), 3, stride=2, padding=1, count_include_pad=False)",
           "exclusive=True => exclusive=False", paddle="F.avg_pool2d(self.conv(x), 3, stride=2, padding=1, exclusive=True)", known=POOL),
    pooled("adaptive average", "F.adaptive_avg_pool2d(self.conv(x), (2, 3))", "(2, 3) => (3, 2)", known=POOL),
    pooled("adaptive maximum", "F.adaptive_max_pool2d(self.conv(x), 2)", "adaptive_max => adaptive_avg"),
    pooled("global average", "self.conv(x).mean(dim=[2, 3])", "axis=[2, 3] => axis=[1, 3]"),
    pooled("generalised mean", "self.conv(x).clamp(min=1e-2).pow(3).mean(dim=(2, 3)).pow(1 / 3)", "pow(1 / 3) => pow(1 / 2)",
           paddle="self.conv(x).clip(min=1e-2).pow(3).mean(axis=(2, 3)).pow(1 / 3)", known={"pow_exponent": 1e-6}),
    pooled("average and maximum together", "torch.cat([self.conv(x).mean((2, 3)), self.conv(x).amax((2, 3))], 1)", "amax => amin"),
    pooled("spatial pyramid", "torch.cat([F.adaptive_max_pool2d(self.conv(x), n).flatten(1) for n in (1, 2, 3)], 1)", "(1, 2, 3) => (1, 3, 2)"),
    pooled("power pooling in one dimension", "F.max_pool1d(self.conv(x).flatten(2), 3, stride=2)", "stride=2 => stride=3"),
    pooled("bilinear", "F.interpolate(self.conv(x), size=(13, 15), mode='bilinear', align_corners=False)", "align_corners=False => align_corners=True", known=RATIO),
    pooled("bilinear at the corners", "F.interpolate(self.conv(x), scale_factor=2, mode='bilinear', align_corners=True)",
           "align_corners=True => align_corners=False", known=RATIO),
    pooled("nearest", "F.interpolate(self.conv(x), scale_factor=2, mode='nearest')", "'nearest' => 'bilinear'"),
    pooled("bicubic", "F.interpolate(self.conv(x), size=(12, 12), mode='bicubic', align_corners=False)", "'bicubic' => 'bilinear'"),
    pooled("area", "F.interpolate(self.conv(x), size=(4, 4), mode='area')", "'area' => 'nearest'", known=POOL),
    pooled("pixel shuffle", "F.pixel_shuffle(self.conv(x), 2)", "F.pixel_shuffle(self.conv(x), 2) => F.pixel_shuffle(self.conv(x).flip([1]), 2)"),
    pooled("pixel unshuffle", "F.pixel_unshuffle(self.conv(x), 3)",
           "F.pixel_unshuffle(self.conv(x), 3) => F.pixel_unshuffle(self.conv(x), 3).flip([1])"),
    pooled("channel shuffle by hand", "self.conv(x).reshape(2, 2, 2, 9, 9).transpose(1, 2).reshape(2, 4, 9, 9)",
           ".transpose([0, 2, 1, 3, 4]) => .transpose([0, 1, 2, 3, 4])",
           paddle="self.conv(x).reshape([2, 2, 2, 9, 9]).transpose([0, 2, 1, 3, 4]).reshape([2, 4, 9, 9])"),
    pooled("reflection padding", "F.pad(self.conv(x), [1, 2, 3, 4], mode='reflect')", "[1, 2, 3, 4] => [3, 4, 1, 2]"),
    pooled("constant padding", "F.pad(self.conv(x), [1, 0, 0, 2], value=0.5)", "value=0.5 => value=0.0"),
    pooled("replicated padding", "F.pad(self.conv(x), [2, 2, 1, 1], mode='replicate')", "'replicate' => 'reflect'"),
    pooled("grid sampling", "F.grid_sample(self.conv(x), torch.tanh(self.conv(x)[:, :2].permute(0, 2, 3, 1)), align_corners=False)",
           "align_corners=False => align_corners=True",
           paddle="F.grid_sample(self.conv(x), paddle.tanh(self.conv(x)[:, :2].transpose([0, 2, 3, 1])), align_corners=False)"),
    Program("spatial transformer", PICTURE, """
self.fc = nn.Linear(4, 6)
def forward(self, x):
    theta = 3 * self.fc(x.mean(dim=(2, 3))).reshape((-1, 2, 3))
    grid = F.affine_grid(theta, [2, 4, 6, 6], align_corners=True)
    return F.grid_sample(x, grid, padding_mode='border', align_corners=True)
""", "", ["padding_mode='border' => padding_mode='zeros'", "[2, 4, 6, 6], align_corners=True => [2, 4, 6, 6], align_corners=False"]),
    Program("feature pyramid", "normal(1, 3, 8, 8)", """
self.c1 = nn.Conv2d(3, 4, 3, stride=2, padding=1)
self.c2 = nn.Conv2d(4, 4, 3, stride=2, padding=1)
self.lateral = nn.Conv2d(4, 4, 1)
def forward(self, x):
    fine = F.relu(self.c1(x))
    coarse = F.relu(self.c2(fine))
    merged = self.lateral(fine) + F.interpolate(coarse, scale_factor=2, mode='nearest')
    return [merged, coarse]
""", "", ["self.lateral(fine) + => self.lateral(fine) + 2 *", "[merged, coarse] => [merged, fine]"]),
    Program("local response over channels", PICTURE, """
self.conv = nn.Conv2d(4, 4, 1)
def forward(self, x):
    return F.local_response_norm(self.conv(x), 3, alpha=0.1, beta=0.75, k=1.0)
""", "", ["k=1.0 => k=2.0"], known={"local_response": 1e-6}),
    Program("blur with a fixed kernel", PICTURE, """
self.conv = nn.Conv2d(4, 4, 1)
self.register_buffer("kernel", torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]).reshape(1, 1, 3, 3).repeat(4, 1, 1, 1) / 16)
def forward(self, x):
    return F.conv2d(self.conv(x), self.kernel, padding=1, groups=4, stride=2)
""", """
self.conv = nn.Conv2D(4, 4, 1)
self.register_buffer("kernel", paddle.to_tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]).reshape([1, 1, 3, 3]).tile([4, 1, 1, 1]) / 16)
def forward(self, x):
    return F.conv2d(self.conv(x), self.kernel, padding=1, groups=4, stride=2)
""", ["self.conv(x), self.kernel, padding=1 => F.pad(self.conv(x), [1, 1, 1, 1], mode='reflect'), self.kernel, padding=0"]),
]
