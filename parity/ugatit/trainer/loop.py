"""The loop around the step: batches in, losses logged, grids and checkpoints out."""

import math
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from weights_convert import Staging, StateError

from .checkpoint import Snapshot, clear, data_digest, load_state, load_weights, same_data, save_state, save_weights
from .data import Domain, find_images, read_image, test_array
from .errors import TrainerError
from .frameworks import Layouts, load_twin
from .grid import sample_grid
from .logs import Log
from .start import initial_networks

SAMPLES = 5


class Trainer:
    """A run of U-GAT-IT in one framework.

    Args:
        framework: "torch" or "paddle".
        options: `Options`.
        data: folder with trainA and trainB; testA and testB, where they are, appear in the grids.
        out: folder of the run, made if it is not there.
        device: "cpu", "gpu", or None for the framework's default.
        resume: nothing (weights are drawn from the seed, the same in both frameworks), or a `Snapshot`, whose options
            must be these. A snapshot without moments starts Adam anew.
    Raises:
        TrainerError, ConversionError: anything of the above cannot be used.

    ``step``: how many steps are done.
    """

    def __init__(self, framework, options, data, out, *, device=None, resume=None):
        self.framework, self.options, self.device = framework, options, device
        self.data, self.out = Path(data), Path(out)
        self.twin = load_twin(framework)
        self.domains = {domain: Domain(domain, self.data / f"train{domain}", options.img_size, options.batch_size,
                                       options.seed) for domain in "AB"}
        if resume is None and any(self.out.glob("state/step_*.json")):
            raise TrainerError(f"{out}: holds a run already; resume it, or choose another folder")
        with device_trouble(device):
            self.training = options.training(self.twin, device)
        self.layouts = Layouts(framework, self.training.networks, options.sizes())
        if resume is None:
            drawn = self.layouts.to_neutral(self.training.state())
            networks = initial_networks(drawn["networks"], options.seed)
            self.step = 0
            self.training.load_state(self.layouts.from_neutral({"networks": networks}))
        else:
            if resume.data and not same_data(resume.data, self._digests):
                raise TrainerError(f"{self.data}: not the pictures that the run was trained on (other names, numbers "
                                   f"or contents of files in trainA or trainB), so it cannot be continued exactly; "
                                   f"restore them, or continue from the weights only")
            self.step = resume.step
            self._load(resume)

    def run(self, steps, *, print_freq=1000, save_freq=10_000, progress=True):
        """Train until ``steps`` steps are done; a grid every print_freq steps, a checkpoint every save_freq, and both
        at the end. Returns the last losses, name -> float ({} where nothing was left to do).

        Raises TrainerError where a loss is not finite: what came before stays on the disk.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        losses = {}
        with _alone_in(self.out), Log(self.out, self.step) as log, tqdm(
                total=steps, initial=self.step, unit="step", dynamic_ncols=True, disable=None if progress else True) as bar:
            while self.step < steps:
                losses = self.train_step()
                log.write(self.step, self.training.learning_rate(), losses)
                bar.set_postfix(D=f"{losses['D_loss']:.4f}", G=f"{losses['G_loss']:.4f}", refresh=False)
                bar.update()
                last = self.step == steps
                if self.step % print_freq == 0 or last:
                    self.draw()
                if self.step % save_freq == 0 or last:
                    self.save()
        return losses

    def train_step(self):
        """One step; its losses, name -> float. Raises TrainerError where D_loss or G_loss is not finite."""
        step = self.step + 1
        real_A, real_B = (self._tensor(domain.batch(step)) for domain in self.domains.values())
        losses = {name: float(loss) for name, loss in self.training.step(real_A, real_B, step).items()}
        self.step = step
        for name in ("D_loss", "G_loss"):
            if not math.isfinite(losses[name]):
                raise TrainerError(f"step {step}: {name} is {losses[name]}: the run is lost from here on; go back to "
                                   f"the last checkpoint, or look for the cause in losses.csv")
        return losses

    def snapshot(self):
        """The run as it stands: all that `resume` needs, in either framework."""
        return Snapshot(self.framework, self.step, self.options, self.layouts.to_neutral(self.training.state()),
                        self._digests)

    def save(self):
        """Weights into OUT/model, everything into OUT/state. Returns the path of the weights."""
        snapshot = self.snapshot()
        path = save_weights(self.out, self.data.resolve().name, self.framework, self.step, snapshot.state["networks"],
                            self.layouts)
        save_state(self.out, snapshot)
        return path

    def draw(self):
        """Two sample grids, OUT/img/A2B_0000300.png and B2A: training pictures, then test pictures."""
        with Staging(self.out / "img") as stage:
            for direction, forth, back in (("A2B", "genA2B", "genB2A"), ("B2A", "genB2A", "genA2B")):
                real = self._samples(direction[0])
                grid = sample_grid(real, lambda batch, name=forth: self.translate(name, batch),
                                   lambda batch, name=back: self.translate(name, batch))
                grid.save(stage.path(f"{direction}_{self.step:07d}.png"))

    def translate(self, direction, batch):
        """A numpy batch through "genA2B" or "genB2A", picture by picture: (pictures, heat maps), numpy."""
        network = self.training.networks[direction]
        results = [self.twin.training.translate(network, self._tensor(batch[i:i + 1])) for i in range(len(batch))]
        return tuple(np.concatenate([self.twin.data.tensor_to_array(one) for one in part])
                     for part in zip(*results, strict=True))

    def _samples(self, domain):
        real = self.domains[domain].plain(SAMPLES)
        folder = self.data / f"test{domain}"
        if folder.is_dir():
            tests = [test_array(read_image(path), self.options.img_size) for path in find_images(folder)[:SAMPLES]]
            real = np.concatenate([real, tests])
        return real

    def _load(self, snapshot):
        state = snapshot.state
        try:
            self.training.load_state(self.layouts.from_neutral(state))
        except (ValueError, StateError) as error:
            raise TrainerError(f"the checkpoint does not fit these sizes: {error}") from error

    @cached_property
    def _digests(self):
        return {name: data_digest(domain) for name, domain in self.domains.items()}

    def _tensor(self, batch):
        return self.twin.data.batch_to_tensor(batch, self.options.dtype, self.device)


def resume_exactly(path):
    """The `Snapshot` of a run, to be continued as if it had never stopped."""
    return load_state(path)


def resume_weights(path, options, step=None):
    """A `Snapshot` with the weights of any checkpoint and nothing else, as the official code resumes: Adam at zero.

    step: how many steps the weights have behind them; without it, what the file's name says, else 0. The learning
    rate is what it would be after so many steps. (The official code repeats the last of these steps; this does not.)
    """
    networks, sizes, found = load_weights(path, options.decoder_norm)
    wanted = options.sizes()
    for name, size in sizes.items():
        if size != wanted[name]:
            have, want = asdict(size), asdict(wanted[name])
            raise TrainerError(f"{path}: {name} is of other sizes than the run ("
                               + "; ".join(f"{key}: {value} there, {want[key]} here" for key, value in have.items()
                                           if value != want[key]) + "); give the checkpoint's")
    step = (found or 0) if step is None else step
    half = options.iteration // 2
    lr = options.lr - max(0, step - half) * (options.lr / half)
    return Snapshot("weights", step, options, {"networks": networks, "moments": {}, "lr": {"G": lr, "D": lr}})


@contextmanager
def _alone_in(out):
    """Two runs in one folder would mix their logs and remove each other's states. The lock goes with the process, and what a killed
    one left half written goes now."""
    try:
        with FileLock(out / ".lock", timeout=0):
            clear(out)
            yield
    except Timeout:
        raise TrainerError(f"{out}: another training is writing there; wait for its end, or choose another folder") from None


@contextmanager
def device_trouble(device):
    try:
        yield
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        if device in (None, "cpu"):
            raise
        reason = " ".join(str(error).split())[:200]
        raise TrainerError(f"expected a {device} that this framework can use, found none ({reason}); use --device cpu, "
                           f"or install the framework's {device} build") from error
