"""CycleGAN (Zhu et al. 2017), as junyanz/pytorch-CycleGAN-and-pix2pix has it: ``resnet_9blocks``, ``basic``, instance norm."""

from paddle import nn

from ..layers import LeakyReLU, conv2d, conv2d_transpose
from ..losses import adversarial_loss, cycle_loss, identity_loss
from ..norms import InstanceNorm2D
from ..optimizer import adam, clear_grad
from .image_pool import ImagePool
from .initialisers import normal_weights


class ResnetBlock(nn.Layer):
    """Two convolutions with instance norm, and a shortcut; no activation follows the sum."""

    def __init__(self, dim):
        super().__init__()
        self.conv_block = nn.Sequential(nn.Pad2D(1, mode="reflect"),
                                        conv2d(dim, dim, 3),
                                        InstanceNorm2D(dim),
                                        nn.ReLU(),
                                        nn.Pad2D(1, mode="reflect"),
                                        conv2d(dim, dim, 3),
                                        InstanceNorm2D(dim))

    def forward(self, x):
        """x (N, dim, H, W), H and W above 1 -> the same shape."""
        out = self.conv_block(x)
        out = x + out
        return out


class ResnetGenerator(nn.Layer):
    """Two steps down, residual blocks, two transposed convolutions up. Raises ValueError where n_blocks < 0."""

    def __init__(self, input_nc, output_nc, ngf=64, n_blocks=9):
        super().__init__()
        if n_blocks < 0:
            raise ValueError(f"n_blocks must not be negative: {n_blocks}")
        model = [nn.Pad2D(3, mode="reflect"),
                 conv2d(input_nc, ngf, 7),
                 InstanceNorm2D(ngf),
                 nn.ReLU()]
        for dim in (ngf, ngf * 2):
            model += [conv2d(dim, dim * 2, 3, stride=2, padding=1),
                      InstanceNorm2D(dim * 2),
                      nn.ReLU()]
        for _ in range(n_blocks):
            model += [ResnetBlock(ngf * 4)]
        for dim in (ngf * 4, ngf * 2):
            model += [conv2d_transpose(dim, dim // 2, 3, stride=2, padding=1, output_padding=1),
                      InstanceNorm2D(dim // 2),
                      nn.ReLU()]
        model += [nn.Pad2D(3, mode="reflect"),
                  conv2d(ngf, output_nc, 7),
                  nn.Tanh()]
        self.model = nn.Sequential(*model)
        normal_weights(self)

    def forward(self, input):
        """input (N, input_nc, H, W), H and W multiples of 4 -> (N, output_nc, H, W) in [-1, 1]."""
        out = self.model(input)
        return out


class NLayerDiscriminator(nn.Layer):
    """Patch discriminator; with n_layers=3 each logit sees 70 x 70 pixels. Raises ValueError where n_layers < 1."""

    def __init__(self, input_nc, ndf=64, n_layers=3):
        super().__init__()
        if n_layers < 1:
            raise ValueError(f"n_layers must be 1 or more: {n_layers}")
        model = [conv2d(input_nc, ndf, 4, stride=2, padding=1),
                 LeakyReLU(0.2)]
        dim = ndf
        for n in range(1, n_layers + 1):
            dim_before = dim
            dim = ndf * min(2**n, 8)
            model += [conv2d(dim_before, dim, 4, stride=2 if n < n_layers else 1, padding=1),
                      InstanceNorm2D(dim),
                      LeakyReLU(0.2)]
        model += [conv2d(dim, 1, 4, stride=1, padding=1)]
        self.model = nn.Sequential(*model)
        normal_weights(self)

    def forward(self, input):
        """input (N, input_nc, H, W) -> (N, 1, h, w), a logit per patch."""
        out = self.model(input)
        return out


class Training:
    """Networks, optimizers and the step of the official ``CycleGANModel``.

    ngf, n_blocks size the generators; ndf, n_layers the discriminators. lr, betas: of both Adams. lambda_A, lambda_B: weights of
    the cycles A-B-A and B-A-B; lambda_identity: of the identity losses, times those. pool_size: fakes that are kept of each kind.
    """

    Generator = ResnetGenerator

    def __init__(self, input_nc=3, ngf=64, n_blocks=9, ndf=64, n_layers=3, *, lr=2e-4, betas=(0.5, 0.999), lambda_A=10.0,
                 lambda_B=10.0, lambda_identity=0.5, pool_size=50):
        self.lambda_A = lambda_A
        self.lambda_B = lambda_B
        self.lambda_identity = lambda_identity

        self.netG_A = self.Generator(input_nc, input_nc, ngf, n_blocks)
        self.netG_B = self.Generator(input_nc, input_nc, ngf, n_blocks)
        self.netD_A = NLayerDiscriminator(input_nc, ndf, n_layers)
        self.netD_B = NLayerDiscriminator(input_nc, ndf, n_layers)
        self.fake_A_pool = ImagePool(pool_size)
        self.fake_B_pool = ImagePool(pool_size)

        G_parameters = [*self.netG_A.parameters(), *self.netG_B.parameters()]
        D_parameters = [*self.netD_A.parameters(), *self.netD_B.parameters()]
        self.optimizer_G = adam(G_parameters, lr, betas, 1e-8, 0.0)
        self.optimizer_D = adam(D_parameters, lr, betas, 1e-8, 0.0)

    def translate(self, network, image):
        """image (N, input_nc, H, W) -> the generator's picture."""
        return network(image)

    def step(self, real_A, real_B):
        """One step, the generators first. real_A, real_B (N, input_nc, H, W) in [-1, 1].

        Returns 0-d tensors by the official names: "G_A", "cycle_A", "idt_A", ..., "D_A", "D_B", weighted; "G" is their sum.
        """
        fake_B = self.translate(self.netG_A, real_A)
        rec_A = self.translate(self.netG_B, fake_B)
        fake_A = self.translate(self.netG_B, real_B)
        rec_B = self.translate(self.netG_A, fake_A)
        self.require_grad(False)
        G_losses = self.generator_step(real_A, real_B, fake_A, fake_B, rec_A, rec_B)
        self.require_grad(True)
        D_losses = self.discriminator_step(real_A, real_B, fake_A, fake_B)
        return {**G_losses, **D_losses}

    def require_grad(self, required):
        """Whether the discriminators' parameters receive gradients."""
        for parameter in [*self.netD_A.parameters(), *self.netD_B.parameters()]:
            parameter.stop_gradient = not required

    def generator_step(self, real_A, real_B, fake_A, fake_B, rec_A, rec_B):
        """Update the generators by pictures that they have just made."""
        clear_grad(self.optimizer_G)
        idt_A = self.translate(self.netG_A, real_B)
        loss_idt_A = identity_loss(idt_A, real_B) * self.lambda_B * self.lambda_identity
        idt_B = self.translate(self.netG_B, real_A)
        loss_idt_B = identity_loss(idt_B, real_A) * self.lambda_A * self.lambda_identity

        loss_G_A = adversarial_loss(self.netD_A(fake_B), True)
        loss_G_B = adversarial_loss(self.netD_B(fake_A), True)
        loss_cycle_A = cycle_loss(rec_A, real_A) * self.lambda_A
        loss_cycle_B = cycle_loss(rec_B, real_B) * self.lambda_B

        loss_G = loss_G_A + loss_G_B + loss_cycle_A + loss_cycle_B + loss_idt_A + loss_idt_B
        loss_G.backward()
        self.optimizer_G.step()
        losses = {"G_A": loss_G_A, "G_B": loss_G_B, "cycle_A": loss_cycle_A, "cycle_B": loss_cycle_B, "idt_A": loss_idt_A,
                  "idt_B": loss_idt_B, "G": loss_G}
        return {name: loss.detach() for name, loss in losses.items()}

    def discriminator_step(self, real_A, real_B, fake_A, fake_B):
        """Update the discriminators by real pictures and by fakes from the pools. D_A judges pictures of B."""
        clear_grad(self.optimizer_D)
        loss_D_A = self.discriminator_loss(self.netD_A, real_B, self.fake_B_pool.query(fake_B))
        loss_D_A.backward()
        loss_D_B = self.discriminator_loss(self.netD_B, real_A, self.fake_A_pool.query(fake_A))
        loss_D_B.backward()
        self.optimizer_D.step()
        losses = {"D_A": loss_D_A, "D_B": loss_D_B}
        return {name: loss.detach() for name, loss in losses.items()}

    def discriminator_loss(self, network, real, fake):
        """The mean of both least-squares losses."""
        loss_real = adversarial_loss(network(real), True)
        loss_fake = adversarial_loss(network(fake), False)
        loss = (loss_real + loss_fake) * 0.5
        return loss
