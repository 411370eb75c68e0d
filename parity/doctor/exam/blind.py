"""The blind exam: scripts as users write them, and what was changed in each, written before the checks had seen any of it.

A script stands in `scripts/` and is run as it is, with the doctor's three lines in it. A `Case` changes pieces of its text. The
faults and the healthy oddities were written down together with the answer asked for, by someone who did not read the checks, and
the score of that first run stands on the page (`docs/doctor-exam.md`) beside today's.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from parity.doctor.finding import ERROR, KINDS
from parity.doctor.session import Diagnosis

FIRST_RUN = Path(__file__).parent / "blind_first_run.json"
SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Case:
    """A script with pieces of its text changed.

    edits: ((old, new), ...), each `old` exactly once in the script. ids: the kinds of finding that name the fault (none: the run is
    healthy). line: a piece of the line at which it must be placed. declared: of a healthy run, warnings that it may earn.
    """

    name: str
    script: str
    edits: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    line: str = ""
    declared: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The script as this case has it. ValueError where an edit does not fit it."""
        text = (SCRIPTS / f"{self.script}.py").read_text()
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self.name}: {old!r} stands {text.count(old)} times in {self.script}.py, not once")
            text = text.replace(old, new)
        return text

    @property
    def later(self) -> tuple[str, ...]:
        """What was accepted only after the first run."""
        return LATER.get(self.name, ())

    @property
    def framework(self) -> str:
        return self.script.rpartition("_")[2]


@dataclass(frozen=True)
class Answer:
    """What the doctor said to a case."""

    case: Case
    said: Diagnosis

    @property
    def found(self) -> bool:
        return self.said.first is not None

    @property
    def named(self) -> bool:
        """Its first line is of a kind that the case asks for."""
        return self.found and self.said.first.id in (*self.case.ids, *self.case.later)

    @property
    def placed(self) -> bool:
        site = self.said.first.site if self.named else None
        return site is not None and any(text in site.text for text in (self.case.line, *self.case.later))

    @property
    def false_alarms(self) -> tuple[str, ...]:
        return tuple(found.id for found in self.said.errors)


def sit(case: Case) -> Answer:
    """Run the script as a user does, from its first line to its last, and take what its doctor has to say."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{case.script}.py"
        file.write_text(case.text)
        module, before = ModuleType("__main__"), sys.modules["__main__"]
        module.__file__ = str(file)
        sys.modules["__main__"] = module
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
                exec(compile(case.text, str(file), "exec"), vars(module))  # what it raises, the doctor has noted
            return Answer(case, module.d.diagnose())
        finally:
            sys.modules["__main__"] = before


def first_run() -> dict[str, list]:
    """What was said when the checks saw all this for the first time: of the faults found, named, placed; of the healthy the alarms."""
    said = json.loads(FIRST_RUN.read_text())
    alarms = [[name for name in answer["said"] if KINDS[name].severity == ERROR] for answer in said["healthy"]]
    return {"faults": said["faults"], "alarms": alarms}


FAULTS = (
    # autoencoder_torch
    Case("the decoder is not handed to the optimizer", "autoencoder_torch",
         (("[*encoder.parameters(), *decoder.parameters()], lr=2e-3", "encoder.parameters(), lr=2e-3"),),
         ("network-unheld",), "torch.optim.Adam"),
    Case("zero_grad outside the loop", "autoencoder_torch",
         (("            optimizer.zero_grad()\n", ""), ("        decoder.train()\n", "        decoder.train()\n        optimizer.zero_grad()\n")),
         ("leftover-gradient",), "optimizer.step()"),
    Case("the reconstruction is held against itself", "autoencoder_torch",
         (("F.mse_loss(recon, clean) + 1e-4", "F.mse_loss(recon, recon.detach()) + 0.0"),),
         ("gradient-zero", "loss-constant"), "F.mse_loss"),
    Case("encoder left in eval after a look at the codes", "autoencoder_torch",
         (("        encoder.train()\n", "        encoder.eval()\n"),),
         ("eval-mode",), "encoder(noisy)"),
    # charlm_torch
    Case("positions are a plain tensor", "charlm_torch",
         (("nn.Parameter(0.02 * torch.randn(BLOCK, WIDTH))", "0.02 * torch.randn(BLOCK, WIDTH)"),),
         ("tensor-attribute",), "self.position ="),
    Case("softmax before cross_entropy", "charlm_torch",
         (("return self.head(self.norm(h))", "return self.head(self.norm(h)).softmax(-1)"),),
         ("loss-at-chance",), "F.cross_entropy"),
    Case("warm-up from 0 that nobody steps", "charlm_torch",
         (("min(1.0, (step + 1) / 10)", "min(1.0, step / 10)"), ("        scheduler.step()\n", "")),
         ("scheduler-stuck", "lr-zero"), "LambdaLR("),
    Case("zero_grad before each micro-batch", "charlm_torch",
         (("        optimizer.zero_grad(set_to_none=True)\n", ""),
          ("            x, y = batch()\n            logits", "            optimizer.zero_grad(set_to_none=True)\n            x, y = batch()\n            logits")),
         ("cleared-too-late",), "optimizer.zero_grad"),
    Case("embedding under no_grad", "charlm_torch",
         (("        h = self.embed(tokens) +", "        with torch.no_grad():\n            e = self.embed(tokens)\n        h = e +"),
          ("        self.head.weight = self.embed.weight\n", "")),
         ("graph-cut", "parameters-without-gradient"), "self.embed(tokens)"),
    Case("sampling leaves the model in eval", "charlm_torch",
         (("    model.train()\n    return", "    return"), ("step % 5 == 4", "step % 2 == 0")),
         ("eval-mode",), "model(x)"),
    # dcgan_torch
    Case("G's optimizer built over D", "dcgan_torch",
         (("optimizerG = torch.optim.Adam(netG.parameters()", "optimizerG = torch.optim.Adam(netD.parameters()"),),
         ("network-unheld", "held-twice"), "torch.optim.Adam"),
    Case("D is shown detached fakes in the G step", "dcgan_torch",
         (("errG = criterion(netD(fake), torch.ones(b))", "errG = criterion(netD(fake.detach()), torch.ones(b))"),),
         ("network-without-gradient", "graph-cut"), "fake.detach()"),
    Case("D's gradients from the G step are kept", "dcgan_torch",
         (("            netD.zero_grad()\n", ""), ("            if i == 0:\n", "            netG.zero_grad()\n            if i == 0:\n")),
         ("leftover-gradient",), "optimizerD.step()"),
    Case("spectral norm in eval", "dcgan_torch",
         (("netD = Critic()", "netD = Critic().eval()"),),
         ("eval-mode", "state-frozen"), "netD("),
    # unet_torch
    Case("dice on the argmax, alone", "unet_torch",
         (("p = logits.softmax(1)[:, 1]", "p = logits.argmax(1).float()"),
          ("F.cross_entropy(logits, masks, weight=class_weights) + dice_loss", "dice_loss")),
         ("loss-without-graph", "graph-cut"), ""),
    Case("pictures as bytes", "unet_torch",
         (("self.items.append((image.astype(", "image = 255 * (np.clip(image, -1, 1) + 1) / 2\n            self.items.append((image.astype("),),
         ("input-range",), "model(images)"),
    Case("never shuffled", "unet_torch", (("shuffle=True", "shuffle=False"),), ("order-repeats",), ""),
    Case("batch norm with momentum 0", "unet_torch",
         (("nn.BatchNorm2d(fan_out)", "nn.BatchNorm2d(fan_out, momentum=0.0)"),),
         ("state-frozen",), ""),
    Case("a layer built and forgotten", "unet_torch",
         (("        self.head = nn.Conv2d(8, classes, 1)\n",
           "        self.refine = nn.Conv2d(8, 8, 3, padding=1)\n        self.head = nn.Conv2d(8, classes, 1)\n"),),
         ("module-never-run",), "self.refine"),
    # distill_torch
    Case("the teacher is the student", "distill_torch",
         (("teacher = copy.deepcopy(student)", "teacher = student"),
          ("for p in teacher.parameters():\n    p.requires_grad_(False)\n", "")),
         ("networks-shared",), "teacher"),
    Case("the average is written into the student", "distill_torch",
         (("kept.copy_(momentum * kept + (1 - momentum) * new)", "new.copy_(kept)"),),
         ("update-undone",), "new.copy_"),
    Case("labels of another permutation", "distill_torch",
         (("x, y = points[chosen], labels[chosen]", "x, y = points[chosen], labels[torch.randint(0, 5, (16,))]"),
          ("+ 0.5 * consistency", "+ 0.0 * consistency")),
         ("loss-at-chance",), "F.cross_entropy"),
    # dqn_torch
    Case("[N, 1] against [N] in a Huber loss", "dqn_torch",
         ((".gather(1, a[:, None]).squeeze(1)", ".gather(1, a[:, None])"),),
         ("loss-broadcast",), "F.smooth_l1_loss"),
    Case("the step waits for a day that never comes", "dqn_torch",
         (("    optimizer.step()\n    return", "    if len(memory) > 1000:\n        optimizer.step()\n    return"),),
         ("never-stepped",), ""),
    Case("the old network is still in the optimizer", "dqn_torch",
         (("memory = deque(", "policy_net = QNet()\nmemory = deque("),),
         ("optimizer-holds-copies",), "optim.RMSprop"),
    # style_torch
    Case("the picture is optimized no more", "style_torch",
         (("        with torch.no_grad():\n            image.clamp_(0, 1)", "        image = image.detach().clamp(0, 1).requires_grad_(True)"),),
         ("no-backward", "unchanged", "network-without-gradient", "parameters-without-gradient"), ""),
    # vae_paddle
    Case("backward without brackets", "vae_paddle", (("loss.backward()", "loss.backward"),), ("no-backward",), "opt.step()"),
    Case("clear_grad without brackets", "vae_paddle", (("opt.clear_grad()", "opt.clear_grad"),), ("leftover-gradient",), "opt.step()"),
    Case("the sampling goes through numpy", "vae_paddle",
         (("z = mu + std * paddle.randn(std.shape)", "z = paddle.to_tensor(np.random.normal(mu.numpy(), std.numpy()).astype('float32'))"),
          ("return rec + beta * kld", "return rec")),
         ("graph-cut", "parameters-without-gradient", "loss-without-graph"), "np.random.normal"),
    Case("the log of a variance that may be negative", "vae_paddle",
         (("return self.mu(h), self.logvar(h)", "return self.mu(h), paddle.log(self.logvar(h))"),),
         ("nonfinite",), "paddle.log"),
    Case("the other term weighs 1e5", "vae_paddle", (("return rec + beta * kld", "return rec + 1e5 * kld"),),
         ("loss-drowned",), "1e5"),
    # charlm_paddle
    Case("only the head is handed over", "charlm_paddle",
         (("    parameters=model.parameters(),", "    parameters=model.head.parameters(),"),),
         ("parameters-unheld",), "AdamW"),
    Case("the schedule is never stepped", "charlm_paddle", (("        scheduler.step()\n", ""),), ("scheduler-stuck",), "LinearWarmup"),
    Case("forward decorated with no_grad", "charlm_paddle",
         (("    def forward(self, x):", "    @paddle.no_grad()\n    def forward(self, x):"),),
         ("loss-without-graph",), "loss.backward()"),
    Case("a batch drawn once", "charlm_paddle",
         (("model.train()\n\nwith", "model.train()\nx, y = get_batch()\n\nwith"), ("        x, y = get_batch()\n", "")),
         ("batch-constant",), "model(x)"),
    # dcgan_paddle
    Case("the wrong optimizer is cleared", "dcgan_paddle",
         (("        opt_d.clear_grad()\n", "        opt_g.clear_grad()\n"),),
         ("leftover-gradient",), "opt_d.step()"),
    Case("lr 4 instead of 4e-4", "dcgan_paddle", (("Adam(4e-4,", "Adam(4.0,"),), ("lr-too-large",), "opt_d.step()"),
    Case("fakes without a graph for G", "dcgan_paddle",
         (("        fake = gen(paddle.randn([16, Z, 1, 1]))\n        g_loss",
           "        with paddle.no_grad():\n            fake = gen(paddle.randn([16, Z, 1, 1]))\n        g_loss"),),
         ("network-without-gradient", "graph-cut"), "gen("),
    Case("D in eval", "dcgan_paddle", (("history = []", "history = []\ndisc.eval()"),), ("eval-mode", "state-frozen"), "disc("),
    # unet_paddle
    Case("blocks in a plain list", "unet_paddle",
         (("nn.LayerList([ConvBlock(3, 8), ConvBlock(8, 16)])", "[ConvBlock(3, 8), ConvBlock(8, 16)]"),),
         ("module-unregistered",), "ConvBlock(3, 8)"),
    Case("the mask broadcasts in a loss of one's own", "unet_paddle",
         (("model(image).squeeze(1)\n            bce = F.binary_cross_entropy_with_logits(pred, mask)",
           "model(image)\n            bce = ((F.sigmoid(pred) - mask) ** 2).mean()"),),
         ("loss-broadcast",), "bce ="),
    Case("the first batch again and again", "unet_paddle",
         (("shuffle=True", "shuffle=False"), ("        for image, mask in d.watch(loader):\n", "        for _ in range(6):\n            d.mark()\n            image, mask = next(iter(loader))\n")),
         ("batch-constant",), ""),
    Case("running statistics for training", "unet_paddle",
         (("nn.BatchNorm2D(cout)", "nn.BatchNorm2D(cout, use_global_stats=True)"),),
         ("state-frozen", "frozen-statistics", "eval-mode"), ""),
    # siamese_paddle
    Case("the embedding made anew at each forward", "siamese_paddle",
         (("self.gru(self.embedding(tokens))", "self.gru(nn.Embedding(WORDS, 16)(tokens))"),
          ("        self.embedding = nn.Embedding(WORDS, size, padding_idx=0)\n", "")),
         ("parameter-made-in-forward",), "nn.Embedding"),
    Case("a loss from a float", "siamese_paddle",
         (("loss = F.relu(near - far + 0.5).mean()", "loss = paddle.to_tensor(float(F.relu(near - far + 0.5).mean()), stop_gradient=False)"),),
         ("loss-without-graph", "graph-cut", "network-without-gradient"), "float("),
    Case("the same sentence as anchor and negative", "siamese_paddle",
         (("za, zp, zn = encoder(anchor), encoder(positive), encoder(negative)", "za, zp, zn = encoder(anchor), encoder(positive), encoder(anchor)"),),
         (), ""),
)

HEALTHY = (
    *(Case("as it is", script) for script in (
        "autoencoder_torch", "charlm_torch", "dcgan_torch", "unet_torch", "distill_torch", "dqn_torch", "style_torch",
        "vae_paddle", "charlm_paddle", "dcgan_paddle", "unet_paddle", "siamese_paddle")),
    Case("the decoder's columns brought to length 1 after each step", "autoencoder_torch",
         (("            scheduler.step()\n",
           "            scheduler.step()\n            with torch.no_grad():\n                decoder[0].weight.div_(decoder[0].weight.norm(dim=0, keepdim=True))\n"),)),
    Case("SAM: two backwards and a climb", "autoencoder_torch",
         (("            loss.backward()\n            optimizer.step()\n",
           "            loss.backward()\n"
           "            held = [p for group in optimizer.param_groups for p in group['params']]\n"
           "            with torch.no_grad():\n"
           "                norm = torch.stack([p.grad.norm() for p in held]).norm()\n"
           "                climbs = [p.grad * (0.05 / norm) for p in held]\n"
           "                torch._foreach_add_(held, climbs)\n"
           "            optimizer.zero_grad()\n"
           "            F.mse_loss(decoder(encoder(noisy)), clean).backward()\n"
           "            with torch.no_grad():\n"
           "                torch._foreach_sub_(held, climbs)\n"
           "            optimizer.step()\n"),)),
    Case("bfloat16 autocast", "autoencoder_torch",
         (("            code = encoder(noisy)\n            recon = decoder(code)\n",
           "            with torch.autocast('cpu', dtype=torch.bfloat16):\n                code = encoder(noisy)\n                recon = decoder(code)\n"),
          ("F.mse_loss(recon, clean)", "F.mse_loss(recon.float(), clean)"))),
    Case("the first layers frozen", "autoencoder_torch",
         (("average = copy", "for p in encoder[:3].parameters():\n    p.requires_grad = False\naverage = copy"),)),
    Case("a group with lr 0 until later", "charlm_torch",
         (("optimizer = torch.optim.AdamW([", "optimizer = torch.optim.AdamW([{'params': [model.position], 'lr': 0.0}, "),
          ("decay = [p for p in model.parameters() if p.dim() >= 2]", "decay = [p for p in model.parameters() if p.dim() >= 2 and p is not model.position]"))),
    Case("sequences of changing length, the last chunk short", "charlm_torch",
         (("    return x, y\n", "    length = int(torch.randint(4, BLOCK + 1, ()))\n    return x[:, :length], y[:, :length]\n"),)),
    Case("layers dropped at random", "charlm_torch",
         (("            h = block(h, src_mask=mask, is_causal=True)\n",
           "            if self.training and float(torch.rand(())) < 0.5:\n                continue\n            h = block(h, src_mask=mask, is_causal=True)\n"),)),
    Case("scheduler over an average of the loss", "charlm_torch",
         (("scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))",
           "scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=50)"),
          ("        scheduler.step()\n", "        scheduler.step(total)\n"))),
    Case("D twice for each G", "dcgan_torch",
         (("            netG.zero_grad()\n            errG", "            if i % 2:\n                continue\n            netG.zero_grad()\n            errG"),)),
    Case("WGAN: D's weights clipped", "dcgan_torch",
         (("            optimizerD.step()\n", "            optimizerD.step()\n            for p in netD.parameters():\n                p.data.clamp_(-0.2, 0.2)\n"),)),
    Case("gradient penalty", "dcgan_torch",
         (("            errD = loss_real + loss_fake\n",
           "            mixed = (0.5 * real + 0.5 * fake.detach()).requires_grad_(True)\n"
           "            slope, = torch.autograd.grad(netD(mixed).sum(), mixed, create_graph=True)\n"
           "            penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()\n"
           "            errD = loss_real + loss_fake + 10 * penalty\n"),)),
    Case("D frozen while G learns", "dcgan_torch",
         (("            netG.zero_grad()\n            errG", "            netG.zero_grad()\n            netD.requires_grad_(False)\n            errG"),
          ("            optimizerG.step()\n", "            optimizerG.step()\n            netD.requires_grad_(True)\n"))),
    Case("two backwards for D, one-sided labels", "dcgan_torch",
         (("torch.ones(b))\n            noise", "torch.full((b,), 0.9))\n            loss_real.backward()\n            noise"),
          ("errD = loss_real + loss_fake\n            errD.backward()", "loss_fake.backward()"))),
    Case("an auxiliary head, used in training only", "unet_torch",
         (("        self.head = nn.Conv2d(8, classes, 1)\n", "        self.head = nn.Conv2d(8, classes, 1)\n        self.auxiliary = nn.Conv2d(16, classes, 1)\n"),
          ("        return self.head(self.up1(torch.cat([u, a], 1)))",
           "        out = self.head(self.up1(torch.cat([u, a], 1)))\n        return (out, self.auxiliary(b)) if self.training else out"),
          ("            logits = model(images)\n            loss = ", "            logits, extra = model(images)\n            loss = 0.4 * F.cross_entropy(extra, masks[:, ::2, ::2]) + "))),
    Case("activations recomputed", "unet_torch",
         (("c = self.middle(F.max_pool2d(b, 2))", "c = torch.utils.checkpoint.checkpoint(self.middle, F.max_pool2d(b, 2), use_reentrant=False)"),
          ("import torch\nfrom torch import nn", "import torch\nimport torch.utils.checkpoint\nfrom torch import nn"))),
    Case("pixels that do not count", "unet_torch",
         (("F.cross_entropy(logits, masks, weight=class_weights)", "F.cross_entropy(logits, masks.where(torch.rand(masks.shape) > 0.1, torch.tensor(-100)), weight=class_weights)"),)),
    Case("group norm, and the batch norm gone", "unet_torch", (("nn.BatchNorm2d(fan_out)", "nn.GroupNorm(4, fan_out)"),)),
    Case("the head only is fine-tuned, the rest in eval", "unet_torch",
         (("optimizer = torch.optim.SGD(model.parameters()", "for p in model.parameters():\n    p.requires_grad_(False)\nmodel.head.requires_grad_(True)\noptimizer = torch.optim.SGD(model.head.parameters()"),
          ("        model.train()\n", "        model.eval()\n        model.head.train()\n")),
         declared=("frozen-statistics", "frozen-network")),
    Case("uncertainty weights outside the networks", "distill_torch",
         (("optimizer = torch.optim.AdamW(student.parameters()", "log_sigma = nn.Parameter(torch.zeros(2))\noptimizer = torch.optim.AdamW([*student.parameters(), log_sigma]"),
          ("F.cross_entropy(out, y) + 0.5 * consistency", "(torch.exp(-log_sigma) * torch.stack([F.cross_entropy(out, y), consistency]) + log_sigma).sum()"))),
    Case("mixup", "distill_torch",
         (("            loss = F.cross_entropy(out, y) + 0.5 * consistency\n",
           "            loss = F.cross_entropy(out, 0.9 * F.one_hot(y, 5) + 0.1 * F.one_hot(y.flip(0), 5)) + 0.5 * consistency\n"),)),
    Case("a mixture of experts, one expert seldom asked", "distill_torch",
         (("def mlp(width):\n    return nn.Sequential(", "class Experts(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
           "        self.experts = nn.ModuleList([nn.Linear(24, 24) for _ in range(4)])\n\n"
           "    def forward(self, x):\n        return self.experts[int(torch.rand(()) ** 3 * 4)](x)\n\n\n"
           "def mlp(width):\n    return nn.Sequential("),
          ("nn.GELU(), nn.Linear(width, 5))", "nn.GELU(), Experts(), nn.Linear(width, 5))"))),
    Case("a hard copy of the target at each episode", "dqn_torch", (("TARGET_UPDATE, START = 0.95, 16, 5, 2", "TARGET_UPDATE, START = 0.95, 16, 1, 2"),)),
    Case("four updates an episode, the first ones later", "dqn_torch", (("            optimize_model()\n", "            for _ in range(4):\n                optimize_model()\n"), ("5, 2\n", "5, 4\n"))),
    Case("L-BFGS with a closure", "style_torch",
         (("torch.optim.Adam([image], lr=0.02)", "torch.optim.LBFGS([image], lr=0.5, max_iter=4)"),
          ("        optimizer.zero_grad()\n        maps = features(image)\n        loss = F.mse_loss(maps, wanted_content) + 1e5 * F.mse_loss(gram(maps), wanted_style)\n        loss.backward()\n        optimizer.step()\n",
           "        def closure():\n            optimizer.zero_grad()\n            maps = features(image)\n            loss = F.mse_loss(maps, wanted_content) + 1e5 * F.mse_loss(gram(maps), wanted_style)\n            loss.backward()\n            return loss\n        optimizer.step(closure)\n"))),
    Case("lr set by hand at each step", "vae_paddle", (("            opt.step()\n", "            opt.set_lr(2e-3 * 0.99 ** step_id)\n            opt.step()\n"),)),
    Case("a fixed variance in the decoder, a buffer", "vae_paddle",
         (("        self.out = nn.Linear(32, 64)\n", "        self.out = nn.Linear(32, 64)\n        self.register_buffer('scale', paddle.ones([64]) * 0.8)\n"),
          ("return self.out(F.relu(self.fc2(z)))", "return self.scale * self.out(F.relu(self.fc2(z)))"))),
    Case("black and white in 0 and 1, most of it 0", "vae_paddle", (("np.random.rand(6, 64) > 0.6", "np.random.rand(6, 64) > 0.9"),)),
    Case("lr falls on a plateau", "vae_paddle",
         (("opt = paddle.optimizer.Adam(learning_rate=2e-3,", "plateau = paddle.optimizer.lr.ReduceOnPlateau(2e-3, patience=2)\nopt = paddle.optimizer.Adam(learning_rate=plateau,"),
          ("            step_id += 1\n", "            step_id += 1\n        plateau.step(epoch_loss)\n")),
         declared=("scheduler-idle",)),
    Case("tied head", "charlm_paddle",
         (("        self.head = nn.Linear(WIDTH, vocab)\n", ""), ("return self.head(self.norm(h))", "return paddle.matmul(self.norm(h), self.tok.weight, transpose_y=True)"))),
    Case("accumulation over three iterations", "charlm_paddle",
         (("        loss.backward()\n        optimizer.step()\n        optimizer.clear_grad()\n        scheduler.step()\n",
           "        (loss / 3).backward()\n        if step % 3 == 2:\n            optimizer.step()\n            optimizer.clear_grad()\n            scheduler.step()\n"),
          ("        x, y = get_batch()\n", "        d.mark()\n        x, y = get_batch()\n"))),
    Case("bfloat16 autocast", "charlm_paddle",
         (("        logits = model(x)\n        loss =", "        with paddle.amp.auto_cast(level='O1', dtype='bfloat16'):\n            logits = model(x)\n        logits = logits.astype('float32')\n        loss ="),)),
    Case("D is trained alone at first", "dcgan_paddle",
         (("        opt_g.clear_grad()\n        g_loss.backward()\n        opt_g.step()\n", "        if it >= 4:\n            opt_g.clear_grad()\n            g_loss.backward()\n            opt_g.step()\n"),)),
    Case("old fakes shown again", "dcgan_paddle",
         (("d_loss = F.relu(1 - disc(real))", "pool = (pool + [fake.detach()])[-4:] if it else [fake.detach()]\n        fake = pool[it % len(pool)]\n        d_loss = F.relu(1 - disc(real))"),)),
    Case("one optimizer for both steps' halves, different lr", "dcgan_paddle",
         (("parameters=disc.parameters())", "parameters=[{'params': [disc.fc.parameters()[0]], 'learning_rate': 0.5}, {'params': [p for p in disc.parameters() if p is not disc.fc.parameters()[0]]}])"),)),
    Case("the encoder's norms frozen", "unet_paddle",
         (("        model.train()\n", "        model.train()\n        for enc in model.encoders:\n            enc.bn.eval()\n"),),
         declared=("frozen-statistics",)),
    Case("a mask that is all zero in some batches", "unet_paddle", (("            mask[start:start + 4] = 1\n", "            pass\n"),)),
    Case("an average of the model for validation", "unet_paddle",
         (("            lr.step()\n", "            lr.step()\n            for k, v in model.state_dict().items():\n                shadow[k] = 0.9 * shadow[k] + 0.1 * v.detach() if k in shadow else v.detach().clone()\n"),
          ("with parity.doctor", "shadow = {}\n\nwith parity.doctor"))),
    Case("a loss that reaches 0 in some batches", "siamese_paddle", (("near - far + 0.5", "near - far + 0.01"),)),
    Case("the GRU's biases without decay, sampled negatives in one call", "siamese_paddle",
         (("za, zp, zn = encoder(anchor), encoder(positive), encoder(negative)", "za, zp, zn = encoder(paddle.concat([anchor, positive, negative])).split(3)"),)),
    Case("embedding frozen", "siamese_paddle", (("optimizer = paddle", "encoder.embedding.weight.stop_gradient = True\noptimizer = paddle"),)),
)

# Kinds that did not exist, and lines that nobody thought of, before the first run: accepted after it, as they say the same or better.
LATER = {
    "encoder left in eval after a look at the codes": ("encoder.eval()",),
    "softmax before cross_entropy": ("loss-input",),
    "zero_grad before each micro-batch": ("gradient-discarded",),
    "sampling leaves the model in eval": ("model.eval()",),
    "spectral norm in eval": ("Critic().eval()",),
    "never shuffled": ("never-shuffled",),
    "the picture is optimized no more": ("optimizer-holds-copies",),
    "the other term weighs 1e5": ("kld = ",),
    "forward decorated with no_grad": ("@paddle.no_grad()",),
    "a batch drawn once": ("full-batch",),
    "lr 4 instead of 4e-4": ("Adam(4.0",),
    "D in eval": ("disc.eval()",),
    "SAM: two backwards and a climb": ("gradient-discarded",),
}
