"""VAE-GAN: encoder, decoder and discriminator, each with an optimizer of its own; feature-matching reconstruction."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

paddle.seed(0)
STEPS = 18
LATENT = 4
rng = np.random.default_rng(0)


def draw(n):
    a = rng.uniform(0, 2 * np.pi, (n, 1))
    x = np.sin(a + np.linspace(0, 6.28, 16)) * rng.uniform(0.5, 1.0, (n, 1))
    return paddle.to_tensor(x.astype("float32"))


class Encoder(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, 48), nn.LeakyReLU(0.2))
        self.mu, self.logvar = nn.Linear(48, LATENT), nn.Linear(48, LATENT)

    def forward(self, x):
        h = self.trunk(x)
        return self.mu(h), self.logvar(h)


class Discriminator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, 48), nn.LeakyReLU(0.2), nn.Linear(48, 24), nn.LeakyReLU(0.2))
        self.out = nn.utils.spectral_norm(nn.Linear(24, 1))

    def forward(self, x):
        f = self.trunk(x)
        return self.out(f), f


encoder, discriminator = Encoder(), Discriminator()
decoder = nn.Sequential(nn.Linear(LATENT, 48), nn.ReLU(), nn.Linear(48, 16), nn.Tanh())
opt_e = paddle.optimizer.Adam(2e-3, parameters=encoder.parameters())
opt_g = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=decoder.parameters())
opt_d = paddle.optimizer.Adam(5e-4, beta1=0.5, parameters=discriminator.parameters())
history = []

with parity.doctor({"encoder": encoder, "decoder": decoder, "discriminator": discriminator},
                   {"opt_e": opt_e, "opt_g": opt_g, "opt_d": opt_d}) as d:
    for step in range(STEPS):
        x = draw(64)
        mu, logvar = encoder(x)
        z = mu + paddle.exp(0.5 * logvar) * paddle.randn(mu.shape)
        recon, fake = decoder(z), decoder(paddle.randn([64, LATENT]))

        real_score, real_feature = discriminator(x)
        fake_score, _ = discriminator(fake.detach())
        recon_score, _ = discriminator(recon.detach())
        loss_d = (F.binary_cross_entropy_with_logits(real_score, paddle.ones_like(real_score) * 0.9)
                  + 0.5 * F.binary_cross_entropy_with_logits(fake_score, paddle.zeros_like(fake_score))
                  + 0.5 * F.binary_cross_entropy_with_logits(recon_score, paddle.zeros_like(recon_score)))
        opt_d.clear_grad()
        loss_d.backward()
        opt_d.step()

        _, recon_feature = discriminator(recon)
        gan_score, _ = discriminator(fake)
        kl = -0.5 * (1 + logvar - mu.square() - logvar.exp()).sum(1).mean()
        rec = F.mse_loss(recon_feature, real_feature.detach()) + F.mse_loss(recon, x)
        loss_eg = rec + 0.01 * kl + 0.05 * F.softplus(-gan_score).mean()
        opt_e.clear_grad()
        opt_g.clear_grad()
        loss_eg.backward()
        opt_e.step()
        opt_g.step()
        history.append(float(rec))
print(d)
