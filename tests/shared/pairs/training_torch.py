"""Small training programs in PyTorch: a classifier with batch norm, a tagger, an encoder, a regression, a CycleGAN."""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from pairs.cyclegan_torch import Discriminator, Generator
from pairs.tagger_torch import Tagger
from pairs.transformer_torch import Encoder


class Classifier(nn.Module):
    def __init__(self, width=6, classes=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, classes)

    def forward(self, pictures):
        h = torch.tanh(self.norm(self.conv(pictures)))
        return self.head(h.mean((2, 3)))


class ClassifierTraining:
    """A class whose objects have a method `step`: SGD with momentum, a schedule."""

    def __init__(self):
        self.net = Classifier()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=2, gamma=0.5)

    def step(self, pictures, labels):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(pictures), labels)
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return loss


def tagger_training():
    """A function that returns a function: AdamW, with two groups of parameters."""
    tagger = Tagger()
    biases = [parameter for name, parameter in tagger.named_parameters() if "bias" in name]
    weights = [parameter for name, parameter in tagger.named_parameters() if "bias" not in name]
    optimizer = torch.optim.AdamW([{"params": weights}, {"params": biases, "weight_decay": 0.0}], lr=1e-2, weight_decay=0.1)

    def step(words, lengths, tags):
        logarithms, _ = tagger(words, lengths)
        loss = F.nll_loss(logarithms.flatten(0, 1), tags.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"nll": loss}

    return step


class EncoderTraining:
    """Adam; in torch the attention's weights are one tensor, in Paddle three."""

    def __init__(self):
        self.encoder = Encoder()
        self.adam = torch.optim.Adam(self.encoder.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)

    def step(self, words):
        loss = self.encoder(words, None).square().mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss


class CycleGANTraining:
    """Four networks, two Adams, a pool of earlier fakes."""

    def __init__(self):
        self.netG_A, self.netG_B = Generator(), Generator()
        self.netD_A, self.netD_B = Discriminator(), Discriminator()
        self.optimizer_G = torch.optim.Adam(itertools.chain(self.netG_A.parameters(), self.netG_B.parameters()), lr=2e-4,
                                            betas=(0.5, 0.999))
        self.optimizer_D = torch.optim.Adam(itertools.chain(self.netD_A.parameters(), self.netD_B.parameters()), lr=2e-4,
                                            betas=(0.5, 0.999))
        self.last_fakes = None

    def step(self, real_A, real_B):
        fake_B, fake_A, loss_G = self.generators(real_A, real_B)
        loss_D = self.discriminators(real_A, real_B, fake_A, fake_B)
        self.last_fakes = [fake_A.detach(), fake_B.detach()]
        return {"G": loss_G, "D": loss_D}

    def generators(self, real_A, real_B):
        fake_B = self.netG_A(real_A)
        fake_A = self.netG_B(real_B)
        judged_B, judged_A = self.netD_A(fake_B), self.netD_B(fake_A)
        loss_GAN = F.mse_loss(judged_B, torch.ones_like(judged_B)) + F.mse_loss(judged_A, torch.ones_like(judged_A))
        loss_cycle = F.l1_loss(self.netG_B(fake_B), real_A) + F.l1_loss(self.netG_A(fake_A), real_B)
        loss_G = loss_GAN + 10.0 * loss_cycle
        self.optimizer_G.zero_grad()
        loss_G.backward()
        self.optimizer_G.step()
        return fake_B, fake_A, loss_G

    def discriminators(self, real_A, real_B, fake_A, fake_B):
        old_A, old_B = self.last_fakes or (fake_A.detach(), fake_B.detach())
        self.optimizer_D.zero_grad()
        losses = []
        for net, real, fake in ((self.netD_A, real_B, old_B), (self.netD_B, real_A, old_A)):
            on_real, on_fake = net(real), net(fake)
            loss = 0.5 * (F.mse_loss(on_real, torch.ones_like(on_real)) + F.mse_loss(on_fake, torch.zeros_like(on_fake)))
            loss.backward()
            losses.append(loss)
        self.optimizer_D.step()
        return sum(losses)


class RegressionTraining:
    """No known difference of the frameworks acts in it."""

    def __init__(self):
        self.model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def step(self, x, target):
        loss = F.mse_loss(self.model(x), target)
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()
        return loss
