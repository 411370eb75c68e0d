"""DRIT (Lee et al. 2018), as HsinYingLee/DRIT has it with ``--concat 1 --no_ms`` (mode seeking came with DRIT++)."""

import paddle
from paddle import nn
from paddle.nn import functional as F

from ..functional import average_pool_3x3, mean
from ..layers import GlobalAveragePool2D, LeakyReLU, conv2d, conv2d_transpose, linear
from ..optimizer import adam, clear_grad
from .drit_blocks import (
    BasicBlock,
    GaussianNoiseLayer,
    INSResBlock,
    LeakyReLUConv2d,
    ReLUINSConv2d,
    ReLUINSConvTranspose2d,
)
from .initialisers import gaussian_weights


class Dis_content(nn.Layer):
    """Whose content is it? ``n_layer`` steps down, then 4 x 4 places to one (official: 3, for 54 x 54 places)."""

    def __init__(self, dim=256, n_layer=3):
        super().__init__()
        model = [LeakyReLUConv2d(dim, dim, 7, 2, 1) for _ in range(n_layer)]
        model += [LeakyReLUConv2d(dim, dim, 4, 1), conv2d(dim, 1, 1)]
        self.model = nn.Sequential(*model)
        gaussian_weights(self)

    def forward(self, x):
        """x (N, dim, h, w) -> (N,) logits, where the steps leave 4 x 4 places."""
        out = self.model(x).reshape([-1])
        return out


class MultiScaleDis(nn.Layer):
    """``n_scale`` patch discriminators, each for a picture half as large as the one before."""

    def __init__(self, input_dim, dim=64, n_scale=3, n_layer=4):
        super().__init__()
        self.Diss = nn.LayerList([self.make_net(dim, input_dim, n_layer) for _ in range(n_scale)])
        gaussian_weights(self)

    def make_net(self, dim, input_dim, n_layer):
        """One of the discriminators."""
        model = [LeakyReLUConv2d(input_dim, dim, 4, 2, 1)]
        for _ in range(1, n_layer):
            model += [LeakyReLUConv2d(dim, dim * 2, 4, 2, 1)]
            dim *= 2
        model += [conv2d(dim, 1, 1)]
        return nn.Sequential(*model)

    def downsample(self, x):
        """x (N, C, H, W) -> half as large; what lies outside the picture does not count."""
        return average_pool_3x3(x, stride=2)

    def forward(self, x):
        """x (N, input_dim, H, W) -> a list of (N, 1, h, w), logits per patch, the largest scale first."""
        outs = []
        for Dis in self.Diss:
            outs.append(Dis(x))
            x = self.downsample(x)
        return outs


class E_content(nn.Layer):
    """The content of pictures of both domains: an encoder of each, the last block shared, with noise in training."""

    def __init__(self, input_dim_a, input_dim_b, dim=64):
        super().__init__()
        self.conv_share = nn.Sequential(INSResBlock(dim * 4), GaussianNoiseLayer())
        self.convA = self.make_net(input_dim_a, dim)
        self.convB = self.make_net(input_dim_b, dim)
        gaussian_weights(self)

    def make_net(self, input_dim, dim):
        """What a domain has of its own."""
        return nn.Sequential(LeakyReLUConv2d(input_dim, dim, 7, 1, 3),
                             ReLUINSConv2d(dim, dim * 2, 3, 2, 1),
                             ReLUINSConv2d(dim * 2, dim * 4, 3, 2, 1),
                             INSResBlock(dim * 4),
                             INSResBlock(dim * 4),
                             INSResBlock(dim * 4))

    def forward(self, xa, xb):
        """xa, xb (N, input_dim, H, W) -> their contents, (N, 4 dim, H / 4, W / 4) each."""
        outputA = self.convA(xa)
        outputB = self.convB(xb)
        outputA = self.conv_share(outputA)
        outputB = self.conv_share(outputB)
        return outputA, outputB


class E_attr_concat(nn.Layer):
    """Mean and logarithm of the variance of the attributes of pictures of both domains."""

    def __init__(self, input_dim_a, input_dim_b, output_nc=8, dim=64):
        super().__init__()
        self.fc_A = nn.Sequential(linear(dim * 4, output_nc))
        self.fcVar_A = nn.Sequential(linear(dim * 4, output_nc))
        self.conv_A = self.make_net(input_dim_a, dim)
        self.fc_B = nn.Sequential(linear(dim * 4, output_nc))
        self.fcVar_B = nn.Sequential(linear(dim * 4, output_nc))
        self.conv_B = self.make_net(input_dim_b, dim)
        gaussian_weights(self)

    def make_net(self, input_dim, dim):
        """The features of a domain."""
        return nn.Sequential(nn.Pad2D(1, mode="reflect"),
                             conv2d(input_dim, dim, 4, stride=2),
                             BasicBlock(dim, dim * 2),
                             BasicBlock(dim * 2, dim * 3),
                             BasicBlock(dim * 3, dim * 4),
                             LeakyReLU(0.2),
                             GlobalAveragePool2D())

    def forward(self, xa, xb):
        """xa, xb (N, input_dim, H, W), H and W 16 or more -> mean and logarithm of A and of B, (N, output_nc) each."""
        flat_A = self.conv_A(xa).reshape([xa.shape[0], -1])
        output_A = self.fc_A(flat_A)
        outputVar_A = self.fcVar_A(flat_A)
        flat_B = self.conv_B(xb).reshape([xb.shape[0], -1])
        output_B = self.fc_B(flat_B)
        outputVar_B = self.fcVar_B(flat_B)
        return output_A, outputVar_A, output_B, outputVar_B


class G_concat(nn.Layer):
    """Pictures of both domains from a content and attributes, which join the features at each size; the first block shared."""

    def __init__(self, output_dim_a, output_dim_b, nz=8, dim=64):
        super().__init__()
        tch = dim * 4
        self.dec_share = nn.Sequential(INSResBlock(tch))
        for domain, output_dim in (("A", output_dim_a), ("B", output_dim_b)):
            tch = dim * 4 + nz
            setattr(self, f"dec{domain}1", nn.Sequential(INSResBlock(tch), INSResBlock(tch), INSResBlock(tch)))
            for number in (2, 3):
                tch = tch + nz
                setattr(self, f"dec{domain}{number}", nn.Sequential(ReLUINSConvTranspose2d(tch, tch // 2)))
                tch = tch // 2
            setattr(self, f"dec{domain}4", nn.Sequential(conv2d_transpose(tch + nz, output_dim, 1), nn.Tanh()))
        gaussian_weights(self)

    def forward_a(self, x, z):
        """x (N, 4 dim, h, w), z (N, nz) -> a picture of A, (N, output_dim_a, 4h, 4w) in [-1, 1]."""
        out = self.dec_share(x)
        for layer in (self.decA1, self.decA2, self.decA3, self.decA4):
            out = layer(self.joined(out, z))
        return out

    def forward_b(self, x, z):
        """x (N, 4 dim, h, w), z (N, nz) -> a picture of B, (N, output_dim_b, 4h, 4w) in [-1, 1]."""
        out = self.dec_share(x)
        for layer in (self.decB1, self.decB2, self.decB3, self.decB4):
            out = layer(self.joined(out, z))
        return out

    def forward(self, x, z):
        """Both pictures of this content with these attributes."""
        return self.forward_a(x, z), self.forward_b(x, z)

    def joined(self, x, z):
        """x (N, C, h, w) and z at each of its places: (N, C + nz, h, w)."""
        z_img = z.reshape([*z.shape, 1, 1]).expand([*z.shape, *x.shape[2:]])
        return paddle.concat([x, z_img], 1)


def adversarial_loss(outs, target):
    """Binary cross entropy of the sigmoid of logits against 1, 0 or 0.5, a sum over the scales: 0-d."""
    loss = 0
    for out in outs:
        prediction = paddle.sigmoid(out)
        loss = loss + F.binary_cross_entropy(prediction, paddle.full_like(prediction, target))
    return loss


def l1_loss(input, target):
    """Mean absolute difference."""
    return mean(paddle.abs(input - target))


def l2_regularize(mu):
    """Mean square."""
    return mean(mu**2)


def kl_loss(mu, logvar):
    """Divergence of a normal code from a standard normal one, summed."""
    return paddle.sum(1 + logvar - mu**2 - paddle.exp(logvar)) * -0.5


class Training:
    """Networks, optimizers and the step of the official ``DRIT``.

    dim: channels of the first layers; nz: attributes. n_scale, n_layer: of the picture discriminators; content_layer: of the
    content discriminator. lr: of all Adams but the content discriminator's, which is lr / 2.5; max_norm: that of its gradient.

    Two things differ from the official loop. There the content discriminator takes two batches of its own for each step of the
    rest, here a step begins with one update of it on the step's batch. And there the second update of the generator goes back
    through the forward of the first, whose weights have been changed meanwhile, which PyTorch refuses today: here it goes forward
    again, with the same attributes.
    """

    def __init__(self, input_dim=3, dim=64, nz=8, n_scale=3, n_layer=4, content_layer=3, *, lr=1e-4, betas=(0.5, 0.999),
                 weight_decay=1e-4, max_norm=5.0):
        self.nz = nz
        self.max_norm = max_norm

        self.disA = MultiScaleDis(input_dim, dim, n_scale, n_layer)
        self.disB = MultiScaleDis(input_dim, dim, n_scale, n_layer)
        self.disA2 = MultiScaleDis(input_dim, dim, n_scale, n_layer)
        self.disB2 = MultiScaleDis(input_dim, dim, n_scale, n_layer)
        self.disContent = Dis_content(dim * 4, content_layer)
        self.enc_c = E_content(input_dim, input_dim, dim)
        self.enc_a = E_attr_concat(input_dim, input_dim, nz, dim)
        self.gen = G_concat(input_dim, input_dim, nz, dim)

        self.disA_opt = adam([*self.disA.parameters()], lr, betas, 1e-8, weight_decay)
        self.disB_opt = adam([*self.disB.parameters()], lr, betas, 1e-8, weight_decay)
        self.disA2_opt = adam([*self.disA2.parameters()], lr, betas, 1e-8, weight_decay)
        self.disB2_opt = adam([*self.disB2.parameters()], lr, betas, 1e-8, weight_decay)
        self.disContent_opt = adam([*self.disContent.parameters()], lr / 2.5, betas, 1e-8, weight_decay)
        self.enc_c_opt = adam([*self.enc_c.parameters()], lr, betas, 1e-8, weight_decay)
        self.enc_a_opt = adam([*self.enc_a.parameters()], lr, betas, 1e-8, weight_decay)
        self.gen_opt = adam([*self.gen.parameters()], lr, betas, 1e-8, weight_decay)

    def step(self, image_a, image_b):
        """One step. image_a, image_b (2, input_dim, H, W) in [-1, 1]: the first is translated, the second is a real one beside
        translations with random attributes. Returns 0-d tensors by the official names."""
        content_losses = self.update_D_content(image_a, image_b)
        made = self.translate(image_a[:1], image_b[:1])
        dis_losses = self.update_D(image_a, image_b, made)
        gen_losses = self.update_EG(image_a[:1], image_b[:1], made)
        return {**content_losses, **dis_losses, **gen_losses}

    def sample(self, mu, logvar):
        """Attributes (N, nz) of this mean and this logarithm of the variance."""
        std = paddle.exp(logvar * 0.5)
        eps = paddle.randn(std.shape)
        return eps * std + mu

    def translate(self, real_A, real_B):
        """All that the losses need of a picture of each domain, by the official names."""
        z_content_a, z_content_b = self.enc_c(real_A, real_B)
        mu_a, logvar_a, mu_b, logvar_b = self.enc_a(real_A, real_B)
        z_attr_a = self.sample(mu_a, logvar_a)
        z_attr_b = self.sample(mu_b, logvar_b)
        z_random = paddle.randn([real_A.shape[0], self.nz])

        # across the domains, within, and across with random attributes
        content_forA = paddle.concat([z_content_b, z_content_a, z_content_b])
        content_forB = paddle.concat([z_content_a, z_content_b, z_content_a])
        attr_forA = paddle.concat([z_attr_a, z_attr_a, z_random])
        attr_forB = paddle.concat([z_attr_b, z_attr_b, z_random])
        fake_A, fake_AA, fake_A_random = paddle.chunk(self.gen.forward_a(content_forA, attr_forA), 3)
        fake_B, fake_BB, fake_B_random = paddle.chunk(self.gen.forward_b(content_forB, attr_forB), 3)

        # and back
        z_content_recon_b, z_content_recon_a = self.enc_c(fake_A, fake_B)
        mu_recon_a, logvar_recon_a, mu_recon_b, logvar_recon_b = self.enc_a(fake_A, fake_B)
        z_attr_recon_a = self.sample(mu_recon_a, logvar_recon_a)
        z_attr_recon_b = self.sample(mu_recon_b, logvar_recon_b)
        fake_A_recon = self.gen.forward_a(z_content_recon_a, z_attr_recon_a)
        fake_B_recon = self.gen.forward_b(z_content_recon_b, z_attr_recon_b)
        return {
            "z_content_a": z_content_a, "z_content_b": z_content_b, "z_random": z_random,
            "mu_a": mu_a, "logvar_a": logvar_a, "mu_b": mu_b, "logvar_b": logvar_b,
            "fake_A": fake_A, "fake_AA": fake_AA, "fake_A_random": fake_A_random, "fake_A_recon": fake_A_recon,
            "fake_B": fake_B, "fake_BB": fake_BB, "fake_B_random": fake_B_random, "fake_B_recon": fake_B_recon,
        }

    def update_D_content(self, image_a, image_b):
        """Update the content discriminator: contents of A are its 0, those of B its 1."""
        z_content_a, z_content_b = self.enc_c(image_a[:1], image_b[:1])
        loss = self.content_step(z_content_a, z_content_b)
        return {"disContent_alone": loss}

    def content_step(self, z_content_a, z_content_b):
        """An update by these contents, its gradient clipped; returns its loss."""
        clear_grad(self.disContent_opt)
        loss_fake = adversarial_loss([self.disContent(z_content_a.detach())], 0.0)
        loss_real = adversarial_loss([self.disContent(z_content_b.detach())], 1.0)
        loss = loss_real + loss_fake
        loss.backward()
        nn.utils.clip_grad_norm_(self.disContent.parameters(), self.max_norm)
        self.disContent_opt.step()
        return loss.detach()

    def update_D(self, image_a, image_b, made):
        """Update all discriminators."""
        losses = {
            "disA": self.picture_step(self.disA, self.disA_opt, image_a[:1], made["fake_A"]),
            "disA2": self.picture_step(self.disA2, self.disA2_opt, image_a[1:], made["fake_A_random"]),
            "disB": self.picture_step(self.disB, self.disB_opt, image_b[:1], made["fake_B"]),
            "disB2": self.picture_step(self.disB2, self.disB2_opt, image_b[1:], made["fake_B_random"]),
            "disContent": self.content_step(made["z_content_a"], made["z_content_b"]),
        }
        return losses

    def picture_step(self, network, optimizer, real, fake):
        """An update of one discriminator; returns its loss."""
        clear_grad(optimizer)
        loss_fake = adversarial_loss(network(fake.detach()), 0.0)
        loss_real = adversarial_loss(network(real), 1.0)
        loss = loss_real + loss_fake
        loss.backward()
        optimizer.step()
        return loss.detach()

    def update_EG(self, real_A, real_B, made):
        """Update encoders and generator by all losses, then the content encoder and the generator by random attributes."""
        for optimizer in (self.enc_c_opt, self.enc_a_opt, self.gen_opt):
            clear_grad(optimizer)
        losses = self.loss_EG(real_A, real_B, made)
        loss_G = sum(losses.values())
        loss_G.backward()
        for optimizer in (self.enc_c_opt, self.enc_a_opt, self.gen_opt):
            optimizer.step()

        for optimizer in (self.enc_c_opt, self.gen_opt):
            clear_grad(optimizer)
        losses_alone = self.loss_G_alone(real_A, real_B, made["z_random"])
        loss_alone = sum(losses_alone.values())
        loss_alone.backward()
        for optimizer in (self.enc_c_opt, self.gen_opt):
            optimizer.step()
        losses = {**losses, **losses_alone, "G": loss_G, "G_alone": loss_alone}
        return {name: loss.detach() for name, loss in losses.items()}

    def loss_EG(self, real_A, real_B, made):
        """The losses of encoders and generator, weighted; the contents shall be neither A's nor B's."""
        return {
            "gan_Acontent": adversarial_loss([self.disContent(made["z_content_a"])], 0.5),
            "gan_Bcontent": adversarial_loss([self.disContent(made["z_content_b"])], 0.5),
            "gan_A": adversarial_loss(self.disA(made["fake_A"]), 1.0),
            "gan_B": adversarial_loss(self.disB(made["fake_B"]), 1.0),
            "kl_za_a": kl_loss(made["mu_a"], made["logvar_a"]) * 0.01,
            "kl_za_b": kl_loss(made["mu_b"], made["logvar_b"]) * 0.01,
            "kl_zc_a": l2_regularize(made["z_content_a"]) * 0.01,
            "kl_zc_b": l2_regularize(made["z_content_b"]) * 0.01,
            "l1_recon_A": l1_loss(made["fake_A_recon"], real_A) * 10,
            "l1_recon_B": l1_loss(made["fake_B_recon"], real_B) * 10,
            "l1_recon_AA": l1_loss(made["fake_AA"], real_A) * 10,
            "l1_recon_BB": l1_loss(made["fake_BB"], real_B) * 10,
        }

    def loss_G_alone(self, real_A, real_B, z_random):
        """The losses of translations with random attributes, which must be found in them again."""
        z_content_a, z_content_b = self.enc_c(real_A, real_B)
        fake_A_random = self.gen.forward_a(z_content_b, z_random)
        fake_B_random = self.gen.forward_b(z_content_a, z_random)
        mu2_a, _, mu2_b, _ = self.enc_a(fake_A_random, fake_B_random)
        return {
            "gan2_A": adversarial_loss(self.disA2(fake_A_random), 1.0),
            "gan2_B": adversarial_loss(self.disB2(fake_B_random), 1.0),
            "l1_recon_z_a": l1_loss(mu2_a, z_random) * 10,
            "l1_recon_z_b": l1_loss(mu2_b, z_random) * 10,
        }
