"""MUNIT (Huang et al. 2018), as NVlabs/MUNIT has it with ``summer2winter_yosemite256_folder.yaml``."""

import paddle
from paddle import nn

from ..functional import mean
from ..optimizer import adam, clear_grad
from .conv_blocks import MLP
from .encoders import ContentEncoder, Decoder, StyleEncoder
from .initialisers import kaiming_weights
from .multi_scale import MsImageDis
from .norms import AdaptiveInstanceNorm2d
from .schedules import step_decay


class AdaINGen(nn.Layer):
    """An auto-encoder: content and style apart, the decoder's AdaIN made of the style by an MLP."""

    def __init__(self, input_dim, dim=64, style_dim=8, n_downsample=2, n_res=4, mlp_dim=256):
        super().__init__()
        self.enc_style = StyleEncoder(4, input_dim, dim, style_dim)
        self.enc_content = ContentEncoder(n_downsample, n_res, input_dim, dim)
        self.dec = Decoder(n_downsample, n_res, self.enc_content.output_dim, input_dim, "adain")
        self.mlp = MLP(style_dim, self.get_num_adain_params(self.dec), mlp_dim)
        kaiming_weights(self)

    def forward(self, images):
        """images (N, input_dim, H, W), H and W multiples of 2^n_downsample -> their reconstruction, in [-1, 1]."""
        content, style = self.encode(images)
        images_recon = self.decode(content, style)
        return images_recon

    def encode(self, images):
        """Returns (content (N, C, h, w), style (N, style_dim, 1, 1))."""
        style = self.enc_style(images)
        content = self.enc_content(images)
        return content, style

    def decode(self, content, style):
        """A picture of this content in this style."""
        adain_params = self.mlp(style)
        self.assign_adain_params(adain_params, self.dec)
        images = self.dec(content)
        return images

    def assign_adain_params(self, adain_params, model):
        """Give each AdaIN of the model its part of adain_params (N, get_num_adain_params): shift, then scale."""
        start = 0
        for layer in self.adain_layers(model):
            middle, end = start + layer.num_features, start + 2 * layer.num_features
            layer.bias = adain_params[:, start:middle].reshape([-1])
            layer.weight = adain_params[:, middle:end].reshape([-1])
            start = end

    def get_num_adain_params(self, model):
        """How many parameters the AdaINs of the model need for a picture."""
        return sum(2 * layer.num_features for layer in self.adain_layers(model))

    def adain_layers(self, model):
        """In the order in which they are called."""
        return [layer for layer in model.sublayers() if isinstance(layer, AdaptiveInstanceNorm2d)]


class Training:
    """Networks, optimizers, schedules and the step of the official ``MUNIT_Trainer``, the discriminators first.

    dim .. mlp_dim size the auto-encoders; dis_dim, n_layer, num_scales the discriminators. lr .. gamma: of both Adams. gan_w,
    recon_x_w, recon_s_w, recon_c_w, recon_x_cyc_w: weights of the losses: adversarial, reconstruction of pictures, styles and
    contents, cycle.
    """

    def __init__(self, input_dim=3, dim=64, style_dim=8, n_downsample=2, n_res=4, mlp_dim=256, dis_dim=64, n_layer=4, num_scales=3,
                 *, lr=1e-4, betas=(0.5, 0.999), weight_decay=1e-4, step_size=100_000, gamma=0.5, gan_w=1, recon_x_w=10,
                 recon_s_w=1, recon_c_w=1, recon_x_cyc_w=10):
        self.style_dim = style_dim
        self.gan_w = gan_w
        self.recon_x_w = recon_x_w
        self.recon_s_w = recon_s_w
        self.recon_c_w = recon_c_w
        self.recon_x_cyc_w = recon_x_cyc_w

        self.gen_a = AdaINGen(input_dim, dim, style_dim, n_downsample, n_res, mlp_dim)
        self.gen_b = AdaINGen(input_dim, dim, style_dim, n_downsample, n_res, mlp_dim)
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

    def styles(self, x):
        """As many random styles as there are pictures: (N, style_dim, 1, 1), standard normal."""
        return paddle.randn([x.shape[0], self.style_dim, 1, 1])

    def recon_criterion(self, input, target):
        """Mean absolute difference."""
        return mean(paddle.abs(input - target))

    def dis_update(self, x_a, x_b):
        """Update the discriminators by translations in random styles."""
        clear_grad(self.dis_opt)
        s_a = self.styles(x_a)
        s_b = self.styles(x_b)
        c_a, _ = self.gen_a.encode(x_a)
        c_b, _ = self.gen_b.encode(x_b)
        x_ba = self.gen_a.decode(c_b, s_a)
        x_ab = self.gen_b.decode(c_a, s_b)
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
        s_a = self.styles(x_a)
        s_b = self.styles(x_b)
        # encode, decode within and across the domains, encode and decode again
        c_a, s_a_prime = self.gen_a.encode(x_a)
        c_b, s_b_prime = self.gen_b.encode(x_b)
        x_a_recon = self.gen_a.decode(c_a, s_a_prime)
        x_b_recon = self.gen_b.decode(c_b, s_b_prime)
        x_ba = self.gen_a.decode(c_b, s_a)
        x_ab = self.gen_b.decode(c_a, s_b)
        c_b_recon, s_a_recon = self.gen_a.encode(x_ba)
        c_a_recon, s_b_recon = self.gen_b.encode(x_ab)
        x_aba = self.gen_a.decode(c_a_recon, s_a_prime)
        x_bab = self.gen_b.decode(c_b_recon, s_b_prime)

        loss_recon_x_a = self.recon_criterion(x_a_recon, x_a)
        loss_recon_x_b = self.recon_criterion(x_b_recon, x_b)
        loss_recon_s_a = self.recon_criterion(s_a_recon, s_a)
        loss_recon_s_b = self.recon_criterion(s_b_recon, s_b)
        loss_recon_c_a = self.recon_criterion(c_a_recon, c_a)
        loss_recon_c_b = self.recon_criterion(c_b_recon, c_b)
        loss_cycrecon_x_a = self.recon_criterion(x_aba, x_a)
        loss_cycrecon_x_b = self.recon_criterion(x_bab, x_b)
        loss_adv_a = self.dis_a.calc_gen_loss(x_ba)
        loss_adv_b = self.dis_b.calc_gen_loss(x_ab)

        loss_gen_total = self.gan_w * (loss_adv_a + loss_adv_b)
        loss_gen_total = loss_gen_total + self.recon_x_w * (loss_recon_x_a + loss_recon_x_b)
        loss_gen_total = loss_gen_total + self.recon_s_w * (loss_recon_s_a + loss_recon_s_b)
        loss_gen_total = loss_gen_total + self.recon_c_w * (loss_recon_c_a + loss_recon_c_b)
        loss_gen_total = loss_gen_total + self.recon_x_cyc_w * (loss_cycrecon_x_a + loss_cycrecon_x_b)
        loss_gen_total.backward()
        self.gen_opt.step()
        losses = {
            "gen_recon_x_a": loss_recon_x_a, "gen_recon_x_b": loss_recon_x_b,
            "gen_recon_s_a": loss_recon_s_a, "gen_recon_s_b": loss_recon_s_b,
            "gen_recon_c_a": loss_recon_c_a, "gen_recon_c_b": loss_recon_c_b,
            "gen_cycrecon_x_a": loss_cycrecon_x_a, "gen_cycrecon_x_b": loss_cycrecon_x_b,
            "gen_adv_a": loss_adv_a, "gen_adv_b": loss_adv_b, "gen_total": loss_gen_total,
        }
        return {name: loss.detach() for name, loss in losses.items()}
