"""CycleGAN (Zhu et al. 2017): generator and patch discriminator in PyTorch, as the authors have them, made small."""

from torch import nn


class ResnetBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv_block = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(dim, dim, 3), nn.InstanceNorm2d(dim), nn.ReLU(True),
                                        nn.ReflectionPad2d(1), nn.Conv2d(dim, dim, 3), nn.InstanceNorm2d(dim))

    def forward(self, x):
        return x + self.conv_block(x)


class Generator(nn.Module):
    def __init__(self, ngf=4, blocks=2):
        super().__init__()
        model = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7), nn.InstanceNorm2d(ngf), nn.ReLU(True)]
        for wide in (ngf, 2 * ngf):
            model += [nn.Conv2d(wide, 2 * wide, 3, 2, 1), nn.InstanceNorm2d(2 * wide), nn.ReLU(True)]
        model += [ResnetBlock(4 * ngf) for _ in range(blocks)]
        for wide in (4 * ngf, 2 * ngf):
            model += [nn.ConvTranspose2d(wide, wide // 2, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(wide // 2), nn.ReLU(True)]
        model += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*model)

    def forward(self, input):
        return self.model(input)


class Discriminator(nn.Module):
    def __init__(self, ndf=4):
        super().__init__()
        model = [nn.Conv2d(3, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True)]
        for wide, stride in ((ndf, 2), (2 * ndf, 1)):
            model += [nn.Conv2d(wide, 2 * wide, 4, stride, 1), nn.InstanceNorm2d(2 * wide), nn.LeakyReLU(0.2, True)]
        self.model = nn.Sequential(*model, nn.Conv2d(4 * ndf, 1, 4, 1, 1))

    def forward(self, input):
        return self.model(input)


class CycleGAN(nn.Module):
    """Both networks as one program: a fake, and what the discriminator says of it and of the real picture."""

    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = Discriminator()

    def forward(self, picture):
        fake = self.generator(picture)
        return fake, self.discriminator(fake), self.discriminator(picture)
