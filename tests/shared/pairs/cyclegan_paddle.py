"""CycleGAN in Paddle: the port of `cyclegan_torch`, without Sequential in the generator."""

from paddle import nn
from paddle.nn import functional as F


def norm(width):
    return nn.InstanceNorm2D(width, weight_attr=False, bias_attr=False)


class ResnetBlock(nn.Layer):
    def __init__(self, dim):
        super().__init__()
        self.pad = nn.Pad2D(1, mode="reflect")
        self.conv1 = nn.Conv2D(dim, dim, 3)
        self.norm1 = norm(dim)
        self.conv2 = nn.Conv2D(dim, dim, 3)
        self.norm2 = norm(dim)

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(self.pad(x))))
        return x + self.norm2(self.conv2(self.pad(h)))


class Generator(nn.Layer):
    def __init__(self, ngf=4, blocks=2):
        super().__init__()
        self.pad = nn.Pad2D(3, mode="reflect")
        self.stem = nn.Conv2D(3, ngf, 7)
        self.downs = nn.LayerList([nn.Conv2D(wide, 2 * wide, 3, 2, 1) for wide in (ngf, 2 * ngf)])
        self.blocks = nn.LayerList([ResnetBlock(4 * ngf) for _ in range(blocks)])
        self.ups = nn.LayerList([nn.Conv2DTranspose(wide, wide // 2, 3, 2, 1, output_padding=1) for wide in (4 * ngf, 2 * ngf)])
        self.last = nn.Conv2D(ngf, 3, 7)

    def forward(self, input):
        h = F.relu(F.instance_norm(self.stem(self.pad(input))))
        for down in self.downs:
            h = F.relu(F.instance_norm(down(h)))
        for block in self.blocks:
            h = block(h)
        for up in self.ups:
            h = F.relu(F.instance_norm(up(h)))
        return F.tanh(self.last(self.pad(h)))


class Discriminator(nn.Layer):
    def __init__(self, ndf=4):
        super().__init__()
        model = [nn.Conv2D(3, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        for wide, stride in ((ndf, 2), (2 * ndf, 1)):
            model += [nn.Conv2D(wide, 2 * wide, 4, stride, 1), norm(2 * wide), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*model, nn.Conv2D(4 * ndf, 1, 4, 1, 1))

    def forward(self, input):
        return self.model(input)


class CycleGAN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = Discriminator()

    def forward(self, picture):
        fake = self.generator(picture)
        return fake, self.discriminator(fake), self.discriminator(picture)
