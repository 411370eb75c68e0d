"""UNIT (Liu et al. 2017), as mingyuliutw/UNIT has it with ``unit_summer2winter_yosemite256_folder.yaml``."""

import paddle
from paddle import nn

from ..functional import mean
from ..optimizer import adam, clear_grad
from .encoders import ContentEncoder, Decoder
from .initialisers import kaiming_weights
from .multi_scale import MsImageDis
from .schedules import step_decay


class VAEGen(nn.Layer):
    """A variational auto-encoder whose latent code is normal about the encoder's output, with variance 1."""

    def __init__(self, input_dim, dim=64, n_downsample=2, n_res=4):
        super().__init__()
        self.enc = ContentEncoder(n_downsample, n_res, input_dim, dim)
        self.dec = Decoder(n_downsample, n_res, self.enc.output_dim, input_dim, "in")
        kaiming_weights(self)

    def forward(self, images):
        """images (N, input_dim, H, W), H and W multiples of 2^n_downsample.

        Returns (their reconstruction in [-1, 1], hiddens (N, C, h, w)); noise is added in training alone.
        """
        hiddens, noise = self.encode(images)
        images_recon = self.decode(hiddens + noise) if self.training else self.decode(hiddens)
        return images_recon, hiddens

    def encode(self, images):
        """Returns (hiddens (N, C, h, w), as much standard normal noise)."""
        hiddens = self.enc(images)
        noise = paddle.randn(hiddens.shape)
        return hiddens, noise

    def decode(self, hiddens):
        """A picture of these hiddens."""
        images = self.dec(hiddens)
        return images


class Training:
    """Networks, optimizers, schedules and the step of the official ``UNIT_Trainer``, the discriminators first.

    dim, n_downsample, n_res size the auto-encoders; dis_dim, n_layer, num_scales the discriminators. lr .. gamma: of both Adams.
    gan_w, recon_x_w, recon_kl_w, recon_x_cyc_w, recon_kl_cyc_w: weights of the losses: adversarial, reconstruction, size of the
    code, cycle, size of the code of a translation.
    """

    def __init__(self, input_dim=3, dim=64, n_downsample=2, n_res=4, dis_dim=64, n_layer=4, num_scales=3, *, lr=1e-4,
                 betas=(0.5, 0.999), weight_decay=1e-4, step_size=100_000, gamma=0.5, gan_w=1, recon_x_w=10, recon_kl_w=0.01,
                 recon_x_cyc_w=10, recon_kl_cyc_w=0.01):
        self.gan_w = gan_w
        self.recon_x_w = recon_x_w
        self.recon_kl_w = recon_kl_w
        self.recon_x_cyc_w = recon_x_cyc_w
        self.recon_kl_cyc_w = recon_kl_cyc_w

        self.gen_a = VAEGen(input_dim, dim, n_downsample, n_res)
        self.gen_b = VAEGen(input_dim, dim, n_downsample, n_res)
        self.dis_a = MsImageDis(input_dim, dis_dim, n_layer, num_scales)
        self.dis_b = MsImageDis(input_dim, dis_dim, n_layer, num_scales)

        dis_params = [*self.dis_a.parameters(), *self.dis_b.parameters()]
        gen_params = [*self.gen_a.parameters(), *self.gen_b.parameters()]
        self.dis_opt = adam(dis_params, lr, betas, 1e-8, weight_decay)
        self.gen_opt = adam(gen_params, lr, betas, 1e-8, weight_decay)
        self.dis_scheduler = step_decay(self.dis_opt, step_size, gamma)
        self.gen_scheduler = step_decay(self.gen_opt, step_size, gamma)

    def step(self, x_a, x_b):
        """One step. x_a, x_b (N, input_dim, H, W) in [-1, 1]. Returns 0-d tensors by the official names."""
        self.dis_scheduler.step()
        self.gen_scheduler.step()
        dis_losses = self.dis_update(x_a, x_b)
        gen_losses = self.gen_update(x_a, x_b)
        return {**dis_losses, **gen_losses}

    def recon_criterion(self, input, target):
        """Mean absolute difference."""
        return mean(paddle.abs(input - target))

    def compute_kl(self, mu):
        """Mean square: the divergence from a standard normal code, but for factors, as the variance is fixed."""
        return mean(mu**2)

    def dis_update(self, x_a, x_b):
        """Update the discriminators by translations."""
        clear_grad(self.dis_opt)
        h_a, n_a = self.gen_a.encode(x_a)
        h_b, n_b = self.gen_b.encode(x_b)
        x_ba = self.gen_a.decode(h_b + n_b)
        x_ab = self.gen_b.decode(h_a + n_a)
        loss_dis_a = self.dis_a.calc_dis_loss(x_ba.detach(), x_a)
        loss_dis_b = self.dis_b.calc_dis_loss(x_ab.detach(), x_b)
        loss_dis_total = self.gan_w * loss_dis_a + self.gan_w * loss_dis_b
        loss_dis_total.backward()
        self.dis_opt.step()
        losses = {"dis_a": loss_dis_a, "dis_b": loss_dis_b, "dis_total": loss_dis_total}
        return {name: loss.detach() for name, loss in losses.items()}

    def gen_update(self, x_a, x_b):
        """Update the auto-encoders."""
        clear_grad(self.gen_opt)
        # encode, decode within and across the domains, encode and decode again
        h_a, n_a = self.gen_a.encode(x_a)
        h_b, n_b = self.gen_b.encode(x_b)
        x_a_recon = self.gen_a.decode(h_a + n_a)
        x_b_recon = self.gen_b.decode(h_b + n_b)
        x_ba = self.gen_a.decode(h_b + n_b)
        x_ab = self.gen_b.decode(h_a + n_a)
        h_b_recon, n_b_recon = self.gen_a.encode(x_ba)
        h_a_recon, n_a_recon = self.gen_b.encode(x_ab)
        x_aba = self.gen_a.decode(h_a_recon + n_a_recon)
        x_bab = self.gen_b.decode(h_b_recon + n_b_recon)

        loss_recon_x_a = self.recon_criterion(x_a_recon, x_a)
        loss_recon_x_b = self.recon_criterion(x_b_recon, x_b)
        loss_recon_kl_a = self.compute_kl(h_a)
        loss_recon_kl_b = self.compute_kl(h_b)
        loss_cyc_x_a = self.recon_criterion(x_aba, x_a)
        loss_cyc_x_b = self.recon_criterion(x_bab, x_b)
        loss_recon_kl_cyc_aba = self.compute_kl(h_a_recon)
        loss_recon_kl_cyc_bab = self.compute_kl(h_b_recon)
        loss_adv_a = self.dis_a.calc_gen_loss(x_ba)
        loss_adv_b = self.dis_b.calc_gen_loss(x_ab)

        loss_gen_total = self.gan_w * (loss_adv_a + loss_adv_b)
        loss_gen_total = loss_gen_total + self.recon_x_w * (loss_recon_x_a + loss_recon_x_b)
        loss_gen_total = loss_gen_total + self.recon_kl_w * (loss_recon_kl_a + loss_recon_kl_b)
        loss_gen_total = loss_gen_total + self.recon_x_cyc_w * (loss_cyc_x_a + loss_cyc_x_b)
        loss_gen_total = loss_gen_total + self.recon_kl_cyc_w * (loss_recon_kl_cyc_aba + loss_recon_kl_cyc_bab)
        loss_gen_total.backward()
        self.gen_opt.step()
        losses = {
            "gen_recon_x_a": loss_recon_x_a, "gen_recon_x_b": loss_recon_x_b,
            "gen_recon_kl_a": loss_recon_kl_a, "gen_recon_kl_b": loss_recon_kl_b,
            "gen_cyc_x_a": loss_cyc_x_a, "gen_cyc_x_b": loss_cyc_x_b,
            "gen_recon_kl_cyc_aba": loss_recon_kl_cyc_aba, "gen_recon_kl_cyc_bab": loss_recon_kl_cyc_bab,
            "gen_adv_a": loss_adv_a, "gen_adv_b": loss_adv_b, "gen_total": loss_gen_total,
        }
        return {name: loss.detach() for name, loss in losses.items()}
