# Written by PaConvert 3.3.1 from paconvert_torch.py (`paconvert --in_dir paconvert_torch.py --out_dir out`); not a line changed.
import paddle

"""A small image-to-image network in PyTorch, as someone would give it to PaConvert."""


class Residual(paddle.nn.Module):

    def __init__(self, width):
        super().__init__()
        self.pad = paddle.nn.ReflectionPad2d(1)
        self.conv1 = paddle.nn.Conv2d(width, width, 3, bias=False)
        self.norm1 = paddle.nn.InstanceNorm2D(num_features=width)
        self.conv2 = paddle.nn.Conv2d(width, width, 3, bias=False)
        self.norm2 = paddle.nn.InstanceNorm2D(num_features=width)

    def forward(self, x):
        h = paddle.nn.functional.relu(self.norm1(self.conv1(self.pad(x))))
        h = self.norm2(self.conv2(self.pad(h)))
        return x + h


class Network(paddle.nn.Module):

    def __init__(self, width=8, classes=5):
        super().__init__()
        self.stem = paddle.nn.Conv2d(3, width, 3, padding=1)
        self.blocks = paddle.nn.Sequential(*[Residual(width) for _ in range(2)])
        self.hidden = paddle.compat.nn.Linear(width, width)
        self.scale = paddle.nn.Parameter(paddle.ones(width))
        self.head = paddle.compat.nn.Linear(width, classes)

    def forward(self, x):
        x = self.blocks(paddle.nn.functional.relu(self.stem(x)))
        pooled = paddle.mean(x, dim=(2, 3)) * self.scale
        hidden = paddle.tanh(self.hidden(pooled))
        return self.head(hidden)
