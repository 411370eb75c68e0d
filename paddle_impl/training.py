"""The official training step: six networks, two optimizers, everything in the official order."""

import paddle

from .discriminator import Discriminator
from .generator import ResnetGenerator
from .losses import (
    ADV_WEIGHT,
    CAM_WEIGHT,
    CYCLE_WEIGHT,
    IDENTITY_WEIGHT,
    adversarial_loss,
    cam_loss,
    cycle_loss,
    identity_loss,
)
from .optimizer import adam, clear_grad, get_lr, get_moments, set_lr, set_moments


class Training:
    """Networks, optimizers and the step of the official ``UGATIT.train`` (znxlwm/UGATIT-pytorch).

    ngf, n_blocks, img_size, light size the two generators; ndf the four discriminators (official: ngf = ndf =
    ``--ch``). lr .. weight_decay: of both Adams. iteration: the length of the whole run; over its second half
    the learning rate falls to 0; ValueError below 2. dtype: "float32" or "float64". device: "cpu", "gpu" or None
    for the default; an unknown or missing one raises what the framework raises.

    decoder_norm, cam: the ablation (see ``ResnetGenerator``); without CAM, in generators and discriminators, there are no losses
    that end with "cam".

    ``networks``: official name -> network, in the official order.
    """

    def __init__(self, ngf=64, n_blocks=4, img_size=256, light=False, ndf=64, input_nc=3, *, lr=1e-4,
                 betas=(0.5, 0.999), eps=1e-8, weight_decay=1e-4, iteration=1_000_000, adv_weight=ADV_WEIGHT,
                 cycle_weight=CYCLE_WEIGHT, identity_weight=IDENTITY_WEIGHT, cam_weight=CAM_WEIGHT,
                 dtype="float32", device=None, decoder_norm="adalin", cam=True):
        if iteration < 2:
            raise ValueError(f"iteration must be 2 or more: {iteration}")
        self.lr = lr
        self.iteration = iteration
        self.adv_weight = adv_weight
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.cam_weight = cam_weight
        self.cam = cam

        self.genA2B = ResnetGenerator(input_nc, input_nc, ngf, n_blocks, img_size, light, decoder_norm, cam)
        self.genB2A = ResnetGenerator(input_nc, input_nc, ngf, n_blocks, img_size, light, decoder_norm, cam)
        self.disGA = Discriminator(input_nc, ndf, n_layers=7, cam=cam)
        self.disGB = Discriminator(input_nc, ndf, n_layers=7, cam=cam)
        self.disLA = Discriminator(input_nc, ndf, n_layers=5, cam=cam)
        self.disLB = Discriminator(input_nc, ndf, n_layers=5, cam=cam)
        self.networks = {"genA2B": self.genA2B, "genB2A": self.genB2A, "disGA": self.disGA, "disGB": self.disGB,
                         "disLA": self.disLA, "disLB": self.disLB}
        for network in self.networks.values():
            place(network, dtype, device)

        G_parameters = [*self.genA2B.parameters(), *self.genB2A.parameters()]
        D_parameters = [*self.disGA.parameters(), *self.disGB.parameters(),
                        *self.disLA.parameters(), *self.disLB.parameters()]
        self.G_optim = adam(G_parameters, lr, betas, eps, weight_decay)
        self.D_optim = adam(D_parameters, lr, betas, eps, weight_decay)

    def step(self, real_A, real_B, step):
        """Step number ``step`` (the first is 1) of the official loop.

        real_A, real_B (N, input_nc, img_size, img_size) in [-1, 1], of the networks' dtype and device; N may
        differ. Returns 0-d tensors by name: "D/disGA/adversarial", "D/disGA/cam", ..., "G/disGA/adversarial", ...,
        "G/A/cycle", "G/A/identity", "G/A/cam", ... before weighting, and the weighted sums "D_loss", "G_loss".
        """
        self.decay_lr(step)
        D_losses = self.discriminator_step(real_A, real_B)
        G_losses = self.generator_step(real_A, real_B)
        self.clip_rho()
        losses = {**D_losses, **G_losses}
        return losses

    def decay_lr(self, step):
        """Over the second half of the run, lr falls by the same amount before each step."""
        if step > self.iteration // 2:
            for optimizer in (self.G_optim, self.D_optim):
                lr = get_lr(optimizer)
                lr -= self.lr / (self.iteration // 2)
                set_lr(optimizer, lr)

    def discriminator_step(self, real_A, real_B):
        """Update the discriminators. The fakes are not detached: the generators receive gradients as well.

        Takes what ``step`` takes; returns the losses whose names begin with "D".
        """
        clear_grad(self.D_optim)

        fake_A2B, _, _ = self.genA2B(real_A)
        fake_B2A, _, _ = self.genB2A(real_B)

        real_GA_logit, real_GA_cam_logit, _ = self.disGA(real_A)
        real_LA_logit, real_LA_cam_logit, _ = self.disLA(real_A)
        real_GB_logit, real_GB_cam_logit, _ = self.disGB(real_B)
        real_LB_logit, real_LB_cam_logit, _ = self.disLB(real_B)

        fake_GA_logit, fake_GA_cam_logit, _ = self.disGA(fake_B2A)
        fake_LA_logit, fake_LA_cam_logit, _ = self.disLA(fake_B2A)
        fake_GB_logit, fake_GB_cam_logit, _ = self.disGB(fake_A2B)
        fake_LB_logit, fake_LB_cam_logit, _ = self.disLB(fake_A2B)

        D_ad_loss_GA = adversarial_loss(real_GA_logit, True) + adversarial_loss(fake_GA_logit, False)
        D_ad_cam_loss_GA = adversarial_loss(real_GA_cam_logit, True) + adversarial_loss(fake_GA_cam_logit, False)
        D_ad_loss_LA = adversarial_loss(real_LA_logit, True) + adversarial_loss(fake_LA_logit, False)
        D_ad_cam_loss_LA = adversarial_loss(real_LA_cam_logit, True) + adversarial_loss(fake_LA_cam_logit, False)
        D_ad_loss_GB = adversarial_loss(real_GB_logit, True) + adversarial_loss(fake_GB_logit, False)
        D_ad_cam_loss_GB = adversarial_loss(real_GB_cam_logit, True) + adversarial_loss(fake_GB_cam_logit, False)
        D_ad_loss_LB = adversarial_loss(real_LB_logit, True) + adversarial_loss(fake_LB_logit, False)
        D_ad_cam_loss_LB = adversarial_loss(real_LB_cam_logit, True) + adversarial_loss(fake_LB_cam_logit, False)

        D_loss_A = self.adv_weight * (D_ad_loss_GA + D_ad_cam_loss_GA + D_ad_loss_LA + D_ad_cam_loss_LA)
        D_loss_B = self.adv_weight * (D_ad_loss_GB + D_ad_cam_loss_GB + D_ad_loss_LB + D_ad_cam_loss_LB)

        Discriminator_loss = D_loss_A + D_loss_B
        Discriminator_loss.backward()
        self.D_optim.step()

        losses = {
            "D/disGA/adversarial": D_ad_loss_GA,
            "D/disGA/cam": D_ad_cam_loss_GA,
            "D/disLA/adversarial": D_ad_loss_LA,
            "D/disLA/cam": D_ad_cam_loss_LA,
            "D/disGB/adversarial": D_ad_loss_GB,
            "D/disGB/cam": D_ad_cam_loss_GB,
            "D/disLB/adversarial": D_ad_loss_LB,
            "D/disLB/cam": D_ad_cam_loss_LB,
            "D_loss": Discriminator_loss,
        }
        return {name: loss.detach() for name, loss in losses.items() if self.cam or not name.endswith("cam")}

    def generator_step(self, real_A, real_B):
        """Update the generators. The discriminators receive gradients as well, which their next step clears.

        Takes what ``step`` takes; returns the losses whose names begin with "G".
        """
        clear_grad(self.G_optim)

        fake_A2B, fake_A2B_cam_logit, _ = self.genA2B(real_A)
        fake_B2A, fake_B2A_cam_logit, _ = self.genB2A(real_B)

        fake_A2B2A, _, _ = self.genB2A(fake_A2B)
        fake_B2A2B, _, _ = self.genA2B(fake_B2A)

        fake_A2A, fake_A2A_cam_logit, _ = self.genB2A(real_A)
        fake_B2B, fake_B2B_cam_logit, _ = self.genA2B(real_B)

        fake_GA_logit, fake_GA_cam_logit, _ = self.disGA(fake_B2A)
        fake_LA_logit, fake_LA_cam_logit, _ = self.disLA(fake_B2A)
        fake_GB_logit, fake_GB_cam_logit, _ = self.disGB(fake_A2B)
        fake_LB_logit, fake_LB_cam_logit, _ = self.disLB(fake_A2B)

        G_ad_loss_GA = adversarial_loss(fake_GA_logit, True)
        G_ad_cam_loss_GA = adversarial_loss(fake_GA_cam_logit, True)
        G_ad_loss_LA = adversarial_loss(fake_LA_logit, True)
        G_ad_cam_loss_LA = adversarial_loss(fake_LA_cam_logit, True)
        G_ad_loss_GB = adversarial_loss(fake_GB_logit, True)
        G_ad_cam_loss_GB = adversarial_loss(fake_GB_cam_logit, True)
        G_ad_loss_LB = adversarial_loss(fake_LB_logit, True)
        G_ad_cam_loss_LB = adversarial_loss(fake_LB_cam_logit, True)

        G_cycle_loss_A = cycle_loss(fake_A2B2A, real_A)
        G_cycle_loss_B = cycle_loss(fake_B2A2B, real_B)

        G_identity_loss_A = identity_loss(fake_A2A, real_A)
        G_identity_loss_B = identity_loss(fake_B2B, real_B)

        G_cam_loss_A = cam_loss(fake_B2A_cam_logit, True) + cam_loss(fake_A2A_cam_logit, False)
        G_cam_loss_B = cam_loss(fake_A2B_cam_logit, True) + cam_loss(fake_B2B_cam_logit, False)

        G_ad_loss_A = self.adv_weight * (G_ad_loss_GA + G_ad_cam_loss_GA + G_ad_loss_LA + G_ad_cam_loss_LA)
        G_ad_loss_B = self.adv_weight * (G_ad_loss_GB + G_ad_cam_loss_GB + G_ad_loss_LB + G_ad_cam_loss_LB)

        G_loss_A = G_ad_loss_A + self.cycle_weight * G_cycle_loss_A
        G_loss_A = G_loss_A + self.identity_weight * G_identity_loss_A
        G_loss_A = G_loss_A + self.cam_weight * G_cam_loss_A

        G_loss_B = G_ad_loss_B + self.cycle_weight * G_cycle_loss_B
        G_loss_B = G_loss_B + self.identity_weight * G_identity_loss_B
        G_loss_B = G_loss_B + self.cam_weight * G_cam_loss_B

        Generator_loss = G_loss_A + G_loss_B
        Generator_loss.backward()
        self.G_optim.step()

        losses = {
            "G/disGA/adversarial": G_ad_loss_GA,
            "G/disGA/cam": G_ad_cam_loss_GA,
            "G/disLA/adversarial": G_ad_loss_LA,
            "G/disLA/cam": G_ad_cam_loss_LA,
            "G/disGB/adversarial": G_ad_loss_GB,
            "G/disGB/cam": G_ad_cam_loss_GB,
            "G/disLB/adversarial": G_ad_loss_LB,
            "G/disLB/cam": G_ad_cam_loss_LB,
            "G/A/cycle": G_cycle_loss_A,
            "G/B/cycle": G_cycle_loss_B,
            "G/A/identity": G_identity_loss_A,
            "G/B/identity": G_identity_loss_B,
            "G/A/cam": G_cam_loss_A,
            "G/B/cam": G_cam_loss_B,
            "G_loss": Generator_loss,
        }
        return {name: loss.detach() for name, loss in losses.items() if self.cam or not name.endswith("cam")}

    def clip_rho(self):
        """Clip every rho of both generators to [0, 1], as the official ``RhoClipper`` after each step."""
        with paddle.no_grad():
            for network in (self.genA2B, self.genB2A):
                for name, parameter in network.named_parameters():
                    if name.endswith("rho"):
                        rho = paddle.clip(parameter, 0, 1)
                        paddle.assign(rho, parameter)

    def learning_rate(self):
        """The generators' learning rate, a float; the discriminators' is the same."""
        lr = get_lr(self.G_optim)
        return lr

    def state(self):
        """All that a later step depends on, copied to numpy, in the layouts of this framework.

        Returns {"networks": {network: {key: array}}, "moments": {network: {parameter: {"updates": int,
        "exp_avg": array, "exp_avg_sq": array}}}, "lr": {"G": float, "D": float}}.
        """
        state = {"networks": {}, "moments": {}, "lr": {"G": get_lr(self.G_optim), "D": get_lr(self.D_optim)}}
        for name, network in self.networks.items():
            optimizer = self.G_optim if name.startswith("gen") else self.D_optim
            entries = network.state_dict()
            state["networks"][name] = {key: value.numpy() for key, value in entries.items()}
            state["moments"][name] = get_moments(optimizer, dict(network.named_parameters()))
        return state

    def load_state(self, state):
        """Continue from what ``state()`` returned; another precision is converted to that of the networks.

        Without "moments" both optimizers start anew, as the official code does on a resume; without "lr" the
        learning rates stay. Raises ValueError, having changed nothing, where names or shapes do not fit.
        """
        problems = []
        for name, network in self.networks.items():
            expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
            found = {key: tuple(value.shape) for key, value in state["networks"].get(name, {}).items()}
            problems += [f"{name}/{key}" for key in {**expected, **found} if expected.get(key) != found.get(key)]
            for key, held in state.get("moments", {}).get(name, {}).items():
                shapes = {tuple(held["exp_avg"].shape), tuple(held["exp_avg_sq"].shape)}
                if shapes != {expected.get(key)}:
                    problems.append(f"moments of {name}/{key}")
        if problems:
            raise ValueError(f"missing, unknown or of another shape: {', '.join(problems)}")

        G_parameters, G_moments, D_parameters, D_moments = {}, {}, {}, {}
        for name, network in self.networks.items():
            load_network(network, state["networks"][name])
            parameters, moments = (G_parameters, G_moments) if name.startswith("gen") else (D_parameters, D_moments)
            parameters.update({f"{name}/{key}": value for key, value in network.named_parameters()})
            held = state.get("moments", {}).get(name, {})
            moments.update({f"{name}/{key}": value for key, value in held.items()})
        set_moments(self.G_optim, G_parameters, G_moments)
        set_moments(self.D_optim, D_parameters, D_moments)
        if "lr" in state:
            set_lr(self.G_optim, state["lr"]["G"])
            set_lr(self.D_optim, state["lr"]["D"])


def translate(network, image):
    """A batch through a generator in eval mode, without gradients; the network's mode stays as it was.

    image (N, input_nc, S, S), tensor. Returns (picture, heat map (N, 1, S/4, S/4)), tensors.
    """
    training = network.training
    network.eval()
    with paddle.no_grad():
        out, _, heatmap = network(image)
    if training:
        network.train()
    return out, heatmap


def place(network, dtype="float32", device=None):
    """Move a network to "cpu", "gpu" or the default device (None), in this precision, and return it."""
    # Paddle's device is the process's: tensors that a forward makes are born there, whatever the weights' place.
    network.to(paddle.set_device(device or paddle.get_device()), dtype)
    return network


def load_network(network, entries):
    """Give a network its whole state, key -> array in this framework's layout, converted to its precision."""
    held = network.state_dict()
    state = {key: paddle.to_tensor(value, held[key].dtype) for key, value in entries.items()}
    # Wrong shapes and missing keys are no more than warnings to this; who calls has checked them.
    network.set_state_dict(state)
