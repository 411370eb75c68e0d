"""The training programs of `training_torch` in Paddle, with Paddle's own layers and habits."""

import paddle
from paddle import nn
from paddle.nn import functional as F

from pairs.cyclegan_paddle import Discriminator, Generator
from pairs.tagger_paddle import Tagger
from pairs.transformer_paddle import Encoder


class Classifier(nn.Layer):
    def __init__(self, width=6, classes=4):
        super().__init__()
        self.conv = nn.Conv2D(3, width, 3, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm2D(width, momentum=0.9)
        self.fc = nn.Linear(width, classes)

    def forward(self, images):
        x = paddle.tanh(self.bn(self.conv(images)))
        return self.fc(x.mean([2, 3]))


class ClassifierTraining:
    def __init__(self):
        self.model = Classifier()
        self.schedule = paddle.optimizer.lr.StepDecay(0.1, step_size=2, gamma=0.5)
        self.momentum = paddle.optimizer.Momentum(self.schedule, 0.9, parameters=self.model.parameters(), weight_decay=1e-3)

    def step(self, images, target):
        cross_entropy = F.cross_entropy(self.model(images), target)
        cross_entropy.backward()
        self.momentum.step()
        self.momentum.clear_grad()
        self.schedule.step()
        return cross_entropy


def tagger_training():
    tagger = Tagger()
    biases = {parameter.name for name, parameter in tagger.named_parameters() if "bias" in name}
    optimizer = paddle.optimizer.AdamW(1e-2, parameters=tagger.parameters(), weight_decay=0.1,
                                       apply_decay_param_fun=lambda name: name not in biases)

    def step(words, mask, tags):
        logarithms, _ = tagger(words, mask)
        loss = F.nll_loss(logarithms.flatten(0, 1), tags.flatten())
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return {"nll": loss}

    return step


class EncoderTraining:
    def __init__(self):
        self.encoder = Encoder()
        self.adam = paddle.optimizer.Adam(1e-3, 0.9, 0.98, 1e-9, parameters=self.encoder.parameters())

    def step(self, words):
        loss = self.encoder(words, None).square().mean()
        loss.backward()
        self.adam.step()
        self.encoder.clear_gradients()
        return loss


class CycleGANTraining:
    def __init__(self):
        self.netG_A, self.netG_B = Generator(), Generator()
        self.netD_A, self.netD_B = Discriminator(), Discriminator()
        self.opt_D = paddle.optimizer.Adam(2e-4, 0.5, 0.999, parameters=[*self.netD_A.parameters(), *self.netD_B.parameters()])
        self.opt_G = paddle.optimizer.Adam(2e-4, 0.5, 0.999, parameters=[*self.netG_A.parameters(), *self.netG_B.parameters()])
        self.pool = []

    def step(self, real_A, real_B):
        fake_B, fake_A, loss_G = self.generators(real_A, real_B)
        loss_D = self.discriminators(real_A, real_B, fake_A, fake_B)
        self.pool = [fake_A.detach(), fake_B.detach()]
        return {"G": loss_G, "D": loss_D}

    def generators(self, real_A, real_B):
        fake_B = self.netG_A(real_A)
        fake_A = self.netG_B(real_B)
        judged_B, judged_A = self.netD_A(fake_B), self.netD_B(fake_A)
        loss_GAN = F.mse_loss(judged_B, paddle.ones_like(judged_B)) + F.mse_loss(judged_A, paddle.ones_like(judged_A))
        loss_cycle = F.l1_loss(self.netG_B(fake_B), real_A) + F.l1_loss(self.netG_A(fake_A), real_B)
        loss_G = loss_GAN + 10.0 * loss_cycle
        self.opt_G.clear_grad()
        loss_G.backward()
        self.opt_G.step()
        return fake_B, fake_A, loss_G

    def discriminators(self, real_A, real_B, fake_A, fake_B):
        old_A, old_B = self.pool or (fake_A.detach(), fake_B.detach())
        both = 0.0
        for net, real, fake in ((self.netD_A, real_B, old_B), (self.netD_B, real_A, old_A)):
            on_real, on_fake = net(real), net(fake)
            both = both + 0.5 * (F.mse_loss(on_real, paddle.ones_like(on_real)) + F.mse_loss(on_fake, paddle.zeros_like(on_fake)))
        self.opt_D.clear_grad()
        both.backward()
        self.opt_D.step()
        return both


class RegressionTraining:
    """No known difference of the frameworks acts in it."""

    def __init__(self):
        self.model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
        self.sgd = paddle.optimizer.SGD(0.1, parameters=self.model.parameters())

    def step(self, x, target):
        loss = F.mse_loss(self.model(x), target)
        self.sgd.clear_grad()
        loss.backward()
        self.sgd.step()
        return loss
